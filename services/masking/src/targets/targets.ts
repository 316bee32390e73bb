import { digestOfJson } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { catalogueQueries, readRows } from '../catalogue/index.js';
import type { EnginePool } from '../engine/index.js';
import type { Labels } from '../labels/index.js';
import { Announcements } from './announcements.js';

/** Largest answer to the catalogue queries, bytes. */
const MOST_CATALOGUE_BYTES = 64 * 1024 * 1024;

/** A context that comes into force. */
export interface Activation {
  readonly target: string;
  readonly contextDigest: string;
  readonly labelsDigest: string;
  readonly relations: number;
}

export interface TargetsParts {
  readonly labels: ReadonlyMap<string, Labels>;
  readonly pool: EnginePool;
  /** Makes an activation durable; what cannot be recorded does not come into force. */
  record(activation: Activation): Promise<void>;
}

/** The targets that are masked, and the context that is in force for each. */
export class Targets {
  readonly #parts: TargetsParts;
  readonly announcements = new Announcements();
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

  queriesOf(target: string): { name: string; statement: string }[] {
    this.labelsOf(target);
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
    const context = await this.#parts.pool.run({ kind: 'describe', target, rows: readRows(results), labels });
    if (this.announcements.get(target) === context.digest) return context.digest;
    await this.#parts.record({
      target,
      contextDigest: context.digest,
      labelsDigest: digestOfJson(labels),
      relations: Object.keys(context.relations).length,
    });
    this.#parts.pool.setContext(context);
    this.announcements.announce(target, context.digest);
    return context.digest;
  }
}
