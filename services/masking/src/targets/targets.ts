import { digestOfJson } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { catalogueQueries, readRows } from '../catalogue/index.js';
import type { EnginePool } from '../engine/index.js';
import { describeOperations, type HttpContext } from '../http/index.js';
import type { Labels } from '../labels/index.js';
import { Announcements } from './announcements.js';

/** Largest answer to the catalogue queries, bytes. */
const MOST_CATALOGUE_BYTES = 64 * 1024 * 1024;

/** A context that comes into force. */
export interface Activation {
  readonly target: string;
  readonly contextDigest: string;
  readonly labelsDigest: string;
  /** Of an HTTP target, its operations. */
  readonly relations: number;
}

export interface TargetsParts {
  readonly labels: ReadonlyMap<string, Labels>;
  /** Names of those that speak HTTP; the others speak PostgreSQL. */
  readonly http: ReadonlySet<string>;
  readonly pool: EnginePool;
  /** Makes an activation durable; what cannot be recorded does not come into force. */
  record(activation: Activation): Promise<void>;
}

/** The targets that are masked, and the context that is in force for each. */
export class Targets {
  readonly #parts: TargetsParts;
  readonly announcements = new Announcements();
  readonly #http = new Map<string, HttpContext>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: TargetsParts) {
    this.#parts = parts;
  }

  /** @throws target.unknown */
  labelsOf(target: string): Labels {
    const labels = this.#parts.labels.get(target);
    if (labels === undefined) throw new CountersignError('target.unknown');
    return labels;
  }

  /**
   * The context of a target that speaks HTTP; null of one that does not.
   * @throws target.unknown, masking.catalogue_missing
   */
  httpContext(target: string): HttpContext | null {
    this.labelsOf(target);
    if (!this.#parts.http.has(target)) return null;
    const context = this.#http.get(target);
    if (context === undefined) throw new CountersignError('masking.catalogue_missing');
    return context;
  }

  queriesOf(target: string): { name: string; statement: string }[] {
    this.labelsOf(target);
    if (this.#parts.http.has(target)) return [];
    return Object.entries(catalogueQueries).map(([name, statement]) => ({ name, statement }));
  }

  /**
   * Puts a context in force and returns its digest; one after the other, so that the last rows given win.
   * @throws target.unknown, request.invalid, request.too_large, config.invalid, recording.unavailable
   */
  load(
    target: string,
    results: readonly { readonly name: string; readonly rows: Uint8Array }[],
  ): Promise<string> {
    const loaded = this.#last.then(() => this.#load(target, results));
    this.#last = loaded.catch(() => undefined);
    return loaded;
  }

  async #load(target: string, results: readonly { readonly name: string; readonly rows: Uint8Array }[]) {
    const labels = this.labelsOf(target);
    if (results.reduce((sum, { rows }) => sum + rows.length, 0) > MOST_CATALOGUE_BYTES)
      throw new CountersignError('request.too_large');
    if (this.#parts.http.has(target)) {
      const context = describeOperations(target, results, labels);
      return this.#activate(target, labels, context.digest, context.operations.size, () =>
        this.#http.set(target, context),
      );
    }
    const context = await this.#parts.pool.run({ kind: 'describe', target, rows: readRows(results), labels });
    const relations = Object.keys(context.relations).length;
    return this.#activate(target, labels, context.digest, relations, () =>
      this.#parts.pool.setContext(context),
    );
  }

  async #activate(
    target: string,
    labels: Labels,
    contextDigest: string,
    relations: number,
    setContext: () => void,
  ): Promise<string> {
    if (this.announcements.get(target) === contextDigest) return contextDigest;
    await this.#parts.record({ target, contextDigest, labelsDigest: digestOfJson(labels), relations });
    setContext();
    this.announcements.announce(target, contextDigest);
    return contextDigest;
  }
}
