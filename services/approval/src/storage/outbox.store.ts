import { CountersignError } from '@countersign/errors';
import type { Changes } from './changes.worker.js';
import type { Database } from './database.store.js';

/** How often the wait looks for itself, should a notification be missed, milliseconds. */
const lookEvery = 200;

/** What waits to be published. */
export class Outbox {
  readonly #database: Database;
  readonly #changes: Changes;

  constructor(database: Database, changes: Changes) {
    this.#database = database;
    this.#changes = changes;
  }

  /** How many events wait. */
  async waiting(): Promise<number> {
    const [row] = await this.#database.query<{ count: number }>('select count(*)::int as count from outbox');
    return row?.count ?? 0;
  }

  async #hasAllOf(stream: string): Promise<boolean> {
    const rows = await this.#database.query('select 1 from outbox where stream = $1 limit 1', [stream]);
    return rows.length === 0;
  }

  /**
   * Resolves once every event of a stream is durable in the event log; recording.unavailable when that takes longer than
   * allowed.
   */
  async published(stream: string, milliseconds: number): Promise<void> {
    const deadline = performance.now() + milliseconds;
    for (;;) {
      const heard = this.#nextPublication(Math.min(lookEvery, deadline - performance.now()));
      try {
        if (await this.#hasAllOf(stream)) return;
        if (performance.now() >= deadline) throw new CountersignError('recording.unavailable');
        await heard.promise;
      } finally {
        heard.stop();
      }
    }
  }

  /** Listens from before the look, so that what is published between look and wait is not missed. */
  #nextPublication(milliseconds: number): { promise: Promise<void>; stop: () => void } {
    let stop = () => {};
    const promise = new Promise<void>((resolve) => {
      const listener = (change: { kind: string }) => {
        if (change.kind === 'published') resolve();
      };
      const timer = setTimeout(resolve, Math.max(1, milliseconds));
      this.#changes.on('change', listener);
      stop = () => {
        clearTimeout(timer);
        this.#changes.off('change', listener);
        resolve();
      };
    });
    return { promise, stop };
  }
}
