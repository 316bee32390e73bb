import { randomUUID } from 'node:crypto';
import { waitUntil } from '@countersign/testing';
import {
  type EventLog,
  type EventRecord,
  type Position,
  partitionKey,
  type StoredRecord,
} from '../event-log.js';

/** What a driver brings to the contract: a server of its own, which it may kill. */
export interface EventLogFixture {
  /** Opens the log anew; the contract closes it. */
  open(): Promise<EventLog>;
  /** Makes topics where the server does not make them by itself. */
  createTopics(topics: readonly string[]): Promise<void>;
  /** Kills the server, as kill -9 does. */
  kill(): Promise<void>;
  /** Starts it again on the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export const newTopic = (): string => `contract.${randomUUID()}.v1`;

export const record = (
  key: string,
  value: string | Uint8Array,
  signature: Uint8Array | null = null,
): EventRecord => ({
  key,
  value: typeof value === 'string' ? Buffer.from(value) : value,
  signature,
});

export const textOf = ({ value }: EventRecord): string => Buffer.from(value).toString('utf8');

/**
 * A consumer that keeps its positions, as evidence does, and what it was given. Copies, which every driver may deliver,
 * are counted once by (topic, key, value): the contract's records differ in their values.
 */
export class Reader {
  readonly records: StoredRecord[] = [];
  readonly positions = new Map<string, Position>();
  /** Hears that the log cannot be read just now. */
  onTrouble: (error: Error) => void = () => undefined;
  /** What is done with a batch, in place of taking it at once. */
  takeSlowly: (batch: readonly StoredRecord[]) => Promise<void> = async (batch) => this.take(batch);
  readonly #seen = new Set<string>();
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(
    readonly log: EventLog,
    readonly topics: readonly string[],
    readonly maxBatch = 256,
  ) {}

  /** Goes on from the positions it knows. */
  start(): this {
    this.#stop = new AbortController();
    this.#running = this.log.subscribe({
      topics: this.topics,
      from: new Map(this.positions),
      maxBatch: this.maxBatch,
      signal: this.#stop.signal,
      onBatch: (batch) => this.takeSlowly(batch),
      onTrouble: (error) => this.onTrouble(error),
    });
    this.#running.catch(() => undefined);
    return this;
  }

  take(batch: readonly StoredRecord[]): void {
    for (const stored of batch) {
      this.positions.set(partitionKey(stored), stored.position);
      const identity = `${stored.topic}\n${stored.key}\n${Buffer.from(stored.value).toString('base64')}`;
      if (this.#seen.has(identity)) continue;
      this.#seen.add(identity);
      this.records.push(stored);
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Values of a key, in the order in which they came first. */
  texts(key?: string): string[] {
    return this.records.filter((stored) => key === undefined || stored.key === key).map(textOf);
  }

  async until(count: number, timeout = 60_000): Promise<this> {
    await waitUntil(() => this.records.length >= count, { timeout, what: `${count} records` });
    return this;
  }
}

/** Appends the same bytes until they are acknowledged, as a producer does. */
export async function appendSurely(
  log: EventLog,
  topic: string,
  records: readonly EventRecord[],
): Promise<{ attempts: number }> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      await log.append(topic, records);
      return { attempts };
    } catch (error) {
      if (attempts >= 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
