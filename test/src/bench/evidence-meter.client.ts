import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Installation } from '../e2e/support/index.js';

const drainMilliseconds = 180_000;

/** How far evidence has come: events that its newest checkpoint covers. Read from its database, beside its API. */
export class EvidenceMeter {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async open({ deployment }: Installation): Promise<EvidenceMeter> {
    const client = new pg.Client({ connectionString: deployment.store.instance.url('evidence') });
    await client.connect();
    return new EvidenceMeter(client);
  }

  /** Events that can be proved to be in the log. */
  async size(): Promise<number> {
    const { rows } = await this.#client.query<{ size: string | null }>(
      'SELECT max(size) AS size FROM evidence.checkpoints',
    );
    return Number(rows[0]?.size ?? 0);
  }

  /** Waits until so many events are proof-ready; gives the seconds. Throws after three minutes. */
  async reached(size: number): Promise<number> {
    const began = performance.now();
    while ((await this.size()) < size) {
      if (performance.now() - began > drainMilliseconds) throw new Error('Evidence does not catch up.');
      await delay(20);
    }
    return (performance.now() - began) / 1000;
  }

  close(): Promise<void> {
    return this.#client.end();
  }
}
