import { CountersignError } from '@countersign/errors';
import { migrateSchema } from '@countersign/storage';
import pg from 'pg';
import { migrations } from './migrations.js';
import { Transaction } from './transaction.store.js';

export interface DatabaseOptions {
  readonly url: string;
  readonly applicationName: string;
  /** Longest time of one statement, milliseconds. */
  readonly statementMilliseconds: number;
  readonly connections: number;
  /** An idle connection broke. Nothing is lost, but an operator may want to know. */
  readonly onIdleError: (error: Error) => void;
}

/** Any two services of the same database agree on these. */
export const advisoryLocks = { relay: 4_242_002 } as const;

/** Conflicts that a second try settles: serialization failure, deadlock, unique violation. */
const transient = new Set(['40001', '40P01', '23505']);
const attempts = 8;

const codeOf = (error: unknown) =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** Connection to the service's own PostgreSQL database; every wait in it is bounded. */
export class Database {
  readonly #pool: pg.Pool;
  readonly #options: DatabaseOptions;

  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.#pool = new pg.Pool({ ...this.#settings(), max: options.connections });
    this.#pool.on('error', options.onIdleError);
  }

  #settings(): pg.ClientConfig {
    const { url, applicationName, statementMilliseconds } = this.#options;
    return {
      connectionString: url,
      application_name: applicationName,
      statement_timeout: statementMilliseconds,
      lock_timeout: statementMilliseconds,
      idle_in_transaction_session_timeout: statementMilliseconds * 2,
      // The server's limits do not help against a network that swallows the answer.
      query_timeout: statementMilliseconds + 1000,
      connectionTimeoutMillis: statementMilliseconds,
      keepAlive: true,
    };
  }

  /** A connection outside the pool, for locks and notifications that live as long as it does. The caller ends it. */
  dedicated(): pg.Client {
    return new pg.Client(this.#settings());
  }

  /** Rows of one statement. Throws approval.unavailable. */
  async query<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    try {
      return (await this.#pool.query<Row>(sql, [...values])).rows;
    } catch (error) {
      throw new CountersignError('approval.unavailable', { cause: error });
    }
  }

  /**
   * Runs work in one transaction, again if it collided with another. Throws approval.unavailable where the database does not
   * do its part; whether a failed commit took effect is then unknown.
   */
  async transaction<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(work);
      } catch (error) {
        if (error instanceof CountersignError) throw error;
        if (attempt < attempts && transient.has(codeOf(error) ?? '')) continue;
        throw new CountersignError('approval.unavailable', { cause: error });
      }
    }
  }

  async #once<Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    // The pool listens to idle connections alone; one that breaks between two statements would end the process.
    const onError = (error: Error) => {
      broken = error;
    };
    client.on('error', onError);
    try {
      await client.query('begin');
      const result = await work(new Transaction(client));
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch(onError);
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }

  /** Brings the schema up to date; one service at a time. Throws approval.unavailable. */
  async migrate(): Promise<void> {
    try {
      await migrateSchema({ url: this.#options.url, schema: 'public', migrations });
    } catch (error) {
      throw new CountersignError('approval.unavailable', { cause: error });
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}
