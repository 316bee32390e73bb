import { CountersignError } from '@countersign/errors';
import { type Connection, openConnection, survives, unavailable } from './connection.driver.js';
import { CHANNEL } from './subscribing.driver.js';

/** Milliseconds between two notifications: a reader reads all there is anyway. */
const NOTIFY_INTERVAL = 10;
const STATEMENT_TIMEOUT = 5_000;

const nothing = (): void => undefined;

/**
 * A second connection for what must not delay appends: reading heads, and telling subscribers that there is news. Within
 * the appending transaction, NOTIFY would take a lock that makes all commits of the database wait for one another.
 */
export class SideConnection {
  readonly #url: string;
  readonly #name: string;
  #connection: Connection | null = null;
  #last: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #due = false;
  #closed = false;

  constructor(url: string, name: string) {
    this.#url = url;
    this.#name = name;
  }

  /** One piece of work at a time, in the order of asking. Errors: `recording.unavailable`. */
  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    if (this.#closed) throw new CountersignError('recording.unavailable', { detail: 'The log is closed.' });
    const turn = this.#last.then(async () => {
      const connection = await this.#connect();
      try {
        return await work(connection);
      } catch (error) {
        if (!survives(error)) connection.discard();
        throw unavailable(error);
      }
    });
    this.#last = turn.then(nothing, nothing);
    return turn;
  }

  /** Soon, at most once in each interval. It may get lost: subscribers look by themselves, too. */
  readonly notify = (): void => {
    this.#due = true;
    if (this.#timer !== null || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#due) this.notify();
    }, NOTIFY_INTERVAL);
    this.#timer.unref();
    this.#due = false;
    this.use(({ client }) => client.query(`NOTIFY ${CHANNEL}`)).catch(() => undefined);
  };

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#last;
    await this.#connection?.end();
    this.#connection = null;
  }

  async #connect(): Promise<Connection> {
    if (this.#connection === null || this.#connection.isDead) {
      this.#connection = await openConnection({
        url: this.#url,
        name: this.#name,
        statementTimeout: STATEMENT_TIMEOUT,
        settings: { synchronous_commit: 'off', enable_seqscan: 'off' },
      });
    }
    return this.#connection;
  }
}
