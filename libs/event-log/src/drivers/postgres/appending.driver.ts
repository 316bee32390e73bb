import { CountersignError } from '@countersign/errors';
import type { EventRecord } from '../../event-log.js';
import { checkAppend } from '../../limits.js';
import { encodeByteaArray, encodeTextArray } from './arrays.js';
import { type Connection, openConnection, survives, unavailable } from './connection.driver.js';

/** Milliseconds for one statement unless told: longer than a slow disk takes, shorter than for ever. */
const STATEMENT_TIMEOUT = 10_000;
/** Bytes of values that one statement carries. */
const STATEMENT_BYTES = 8 * 1024 * 1024;
/** Bytes that may wait; beyond, appends are refused at once. */
const WAITING_BYTES = 64 * 1024 * 1024;

const INSERT = {
  name: 'append',
  text: `INSERT INTO event_log.record (topic, key, value, signature, ordinal)
         SELECT topic, key, value, signature, ordinal - 1
         FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[])
              WITH ORDINALITY AS appended (topic, key, value, signature, ordinal)`,
};

interface Waiting {
  readonly topic: string;
  readonly records: readonly EventRecord[];
  readonly bytes: number;
  resolve(): void;
  reject(error: CountersignError): void;
}

/**
 * Appends through one connection, one statement in flight: what arrives meanwhile goes together into the next, so that
 * one flush of the write-ahead log serves all. A statement is a transaction of its own; an append is never divided.
 */
export class Appender {
  readonly #url: string;
  readonly #name: string;
  readonly #onAppended: () => void;
  readonly #statementTimeout: number;
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #connection: Connection | null = null;
  #draining: Promise<void> | null = null;
  #closed = false;
  #abandoned = false;

  /** @param name of the connection; no other process may use the same */
  constructor(url: string, name: string, onAppended: () => void, statementTimeout = STATEMENT_TIMEOUT) {
    this.#statementTimeout = statementTimeout;
    this.#url = url;
    this.#name = name;
    this.#onAppended = onAppended;
  }

  async append(topic: string, records: readonly EventRecord[]): Promise<void> {
    const bytes = checkAppend(topic, records);
    if (this.#closed) throw new CountersignError('recording.unavailable', { detail: 'The log is closed.' });
    if (records.length === 0) return;
    if (this.#queuedBytes + bytes > WAITING_BYTES) {
      throw new CountersignError('recording.unavailable', { detail: 'Too much waits to be recorded.' });
    }
    await new Promise<void>((resolve, reject) => {
      this.#queue.push({ topic, records, bytes, resolve, reject });
      this.#queuedBytes += bytes;
      this.#draining ??= this.#drain();
    });
  }

  /** Connects now rather than with the first append. */
  async connect(): Promise<Connection> {
    if (this.#connection !== null && !this.#connection.isDead) return this.#connection;
    this.#connection = null;
    const connection = await openConnection({
      url: this.#url,
      name: this.#name,
      statementTimeout: this.#statementTimeout,
      settings: { synchronous_commit: 'on' },
    });
    try {
      await this.#prepare(connection);
    } catch (error) {
      connection.discard();
      throw error;
    }
    this.#connection = connection;
    return connection;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
    await this.#connection?.end();
    this.#connection = null;
  }

  async #prepare({ client }: Connection): Promise<void> {
    // An acknowledgement has to mean durable, whatever role or database are set to.
    const { rows } = await client.query<{ setting: string }>(
      `SELECT current_setting('synchronous_commit') AS setting`,
    );
    if (rows[0]?.setting !== 'on') {
      throw new CountersignError('config.invalid', {
        detail: 'The event log cannot be opened with synchronous_commit on.',
      });
    }
    // A statement of the abandoned connection may still run, and would land behind what is appended next.
    if (this.#abandoned) {
      await client.query(
        `SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
         WHERE application_name = $1 AND pid <> pg_backend_pid()`,
        [this.#name],
      );
      this.#abandoned = false;
    }
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      let connection: Connection;
      try {
        connection = await this.connect();
      } catch (error) {
        // All that waits, so that nobody waits through more than one attempt.
        this.#settle(this.#queue.splice(0), unavailable(error));
        continue;
      }
      const batch = this.#nextBatch();
      try {
        await connection.client.query({ ...INSERT, values: parameters(batch) });
      } catch (error) {
        if (!survives(error)) {
          connection.discard();
          this.#abandoned = true;
        }
        this.#settle(batch, unavailable(error));
        continue;
      }
      this.#settle(batch, null);
      this.#onAppended();
    }
    this.#draining = null;
  }

  #nextBatch(): Waiting[] {
    let bytes = 0;
    const end = this.#queue.findIndex((waiting, index) => {
      bytes += waiting.bytes;
      return index > 0 && bytes > STATEMENT_BYTES;
    });
    return this.#queue.splice(0, end === -1 ? this.#queue.length : end);
  }

  #settle(batch: readonly Waiting[], error: CountersignError | null): void {
    for (const waiting of batch) {
      this.#queuedBytes -= waiting.bytes;
      if (error === null) waiting.resolve();
      else waiting.reject(error);
    }
  }
}

function parameters(batch: readonly Waiting[]): Buffer[] {
  const topics: string[] = [];
  const keys: string[] = [];
  const values: Uint8Array[] = [];
  const signatures: (Uint8Array | null)[] = [];
  for (const { topic, records } of batch) {
    for (const record of records) {
      topics.push(topic);
      keys.push(record.key);
      values.push(record.value);
      signatures.push(record.signature);
    }
  }
  return [
    encodeTextArray(topics),
    encodeTextArray(keys),
    encodeByteaArray(values),
    encodeByteaArray(signatures),
  ];
}
