import type { ErrorCode } from '@countersign/errors';
import type { Database } from '../storage/index.js';
import { Flood } from './flood.js';

interface Refusal {
  /** Null where nobody proved a key. */
  readonly principal: string | null;
  readonly code: ErrorCode;
}

const limits = { period: 10_000, singles: 10, kinds: 1000 } as const;

/**
 * Makes an event of every refused credential: one each, before the answer, or under a flood one with a count at the end of
 * ten seconds.
 */
export class Refusals {
  readonly #database: Database;
  readonly #flood = new Flood<Refusal>(
    limits,
    ({ principal, code }) => `${code} ${principal ?? ''}`,
    ({ code }) => ({ principal: null, code }),
  );

  constructor(database: Database) {
    this.#database = database;
  }

  async record(refusal: Refusal): Promise<void> {
    if (this.#flood.add(refusal, performance.now())) await this.#publish(refusal, 1);
  }

  /** Publishes what was held back in periods that are over, or all of it. */
  async flush(all = false): Promise<void> {
    for (const { kind, count } of this.#flood.due(performance.now(), all)) await this.#publish(kind, count);
  }

  async #publish({ principal, code }: Refusal, count: number): Promise<void> {
    await this.#database.transaction((transaction) =>
      transaction.publish({
        type: 'countersign.token.refused.v1',
        data: { principal, code, count },
        origin: 'system',
      }),
    );
  }
}
