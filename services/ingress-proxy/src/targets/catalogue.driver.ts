import type { maskingRpc } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import type { HttpTarget } from './http-target.js';
import type { SystemActions } from './system-actions.driver.js';
import type { SystemConnection, Target, TargetReader } from './target.js';

/** The methods of libs/rpc's client that are used here. */
export interface CatalogueRpc {
  catalogueQueries(request: maskingRpc.CatalogueQueriesRequest): Promise<maskingRpc.CatalogueQueriesResponse>;
  loadCatalogue(
    request: maskingRpc.LoadCatalogueRequest,
    options?: { readonly deadlineMilliseconds?: number },
  ): Promise<maskingRpc.LoadCatalogueResponse>;
}

// One snapshot for all queries: a catalogue read in pieces could pair old columns with new tables.
const BEGIN = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
const END = 'COMMIT';
const LOAD_DEADLINE_MILLISECONDS = 30_000;

/**
 * Reads the catalogues of targets for the masking service, as system actions. The catalogue of an HTTP target is what is
 * declared of it: nobody has to be asked.
 */
export class Catalogues {
  readonly #targets: ReadonlyMap<string, Target>;
  readonly #httpTargets: ReadonlyMap<string, HttpTarget>;
  readonly #rpc: CatalogueRpc;
  readonly #reader: TargetReader;
  readonly #actions: SystemActions;
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #loaded = new Set<string>();

  constructor(
    targets: ReadonlyMap<string, Target>,
    httpTargets: ReadonlyMap<string, HttpTarget>,
    rpc: CatalogueRpc,
    reader: TargetReader,
    actions: SystemActions,
  ) {
    this.#targets = targets;
    this.#httpTargets = httpTargets;
    this.#rpc = rpc;
    this.#reader = reader;
    this.#actions = actions;
  }

  /** Whether the last reading of a target's catalogue succeeded. */
  isLoaded(target: string): boolean {
    return this.#loaded.has(target);
  }

  /** Reads once for all who ask at the same time. Throws target.*, masking.*, recording.*, rpc.*. */
  load(target: string): Promise<void> {
    const underWay = this.#underWay.get(target);
    if (underWay !== undefined) return underWay;
    const loading = this.#load(target)
      .catch((thrown: unknown) => {
        this.#loaded.delete(target);
        throw thrown;
      })
      .finally(() => this.#underWay.delete(target));
    this.#underWay.set(target, loading);
    return loading;
  }

  /** A reading that began after this call: what is under way may have missed the change. */
  async reload(target: string): Promise<void> {
    await this.#underWay.get(target)?.catch(() => undefined);
    await this.load(target);
  }

  async #load(name: string): Promise<void> {
    const http = this.#httpTargets.get(name);
    if (http !== undefined) {
      const rows = Buffer.from(JSON.stringify(http.operations));
      await this.#hand(name, [{ name: 'operations', rows }]);
      return;
    }
    const target = this.#targets.get(name);
    if (target === undefined) throw new CountersignError('target.unknown');
    const { queries } = await this.#rpc.catalogueQueries({ target: name });
    const session = await this.#actions.session(name);
    const connection = await this.#reader.connect(target, session.claims.session);
    try {
      await this.#ask(name, connection, BEGIN);
      const results: maskingRpc.CatalogueRows[] = [];
      for (const query of queries) {
        const rows = await this.#ask(name, connection, query.statement);
        results.push({ name: query.name, rows: Buffer.from(JSON.stringify(rows)) });
      }
      await this.#ask(name, connection, END);
      await this.#hand(name, results);
    } finally {
      connection.close();
    }
  }

  async #hand(target: string, results: maskingRpc.CatalogueRows[]): Promise<void> {
    await this.#rpc.loadCatalogue({ target, results }, { deadlineMilliseconds: LOAD_DEADLINE_MILLISECONDS });
    this.#loaded.add(target);
  }

  #ask(
    target: string,
    connection: SystemConnection,
    statement: string,
  ): Promise<readonly Readonly<Record<string, string | null>>[]> {
    return this.#actions.run(target, statement, async () => {
      const result = await connection.rows(statement);
      return { rows: result.length, result };
    });
  }
}
