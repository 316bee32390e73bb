/** What a producer hands over: an event's exact bytes, and beside them a signature where a batch ends. */
export interface EventRecord {
  /** Identity of the producer; order is kept among records of one key. */
  readonly key: string;
  readonly value: Uint8Array;
  readonly signature: Uint8Array | null;
}

/**
 * Where a record lies in its partition. Opaque to consumers, who store it; compared as strings, later records of a
 * partition have greater positions.
 */
export type Position = string;

/** A record as it is read: any may be delivered more than once, and then carries the same bytes. */
export interface StoredRecord extends EventRecord {
  readonly topic: string;
  readonly partition: number;
  readonly position: Position;
}

export interface Subscription {
  readonly topics: readonly string[];
  /** Last position that was dealt with, by `${topic}/${partition}`; absent: from the first record there is. */
  readonly from: ReadonlyMap<string, Position>;
  /** One call at a time; the next batch is read when it resolves. Its rejection ends the subscription. */
  onBatch(records: readonly StoredRecord[]): Promise<void>;
  /** Most records of a batch; 256 unless told. */
  readonly maxBatch?: number;
  readonly signal: AbortSignal;
  /** The log cannot be read just now; the subscription goes on trying. For logs and health. */
  onTrouble?(error: Error): void;
}

/**
 * A durable log of records, by topic: appended at the end, never changed. Drivers promise what is promised here and
 * `contract/` checks; nothing else may be relied on.
 *
 * - An append that resolves is durable: it survives the death of every process.
 * - An append that rejects has an unknown outcome: all of its records may be there, or none, and may still arrive
 *   later. To be sure, append the same bytes again; readers tell copies by what they hold.
 * - Records of one key are read in the order of their first appends, as long as the next append begins after the
 *   former resolved.
 * - A reader that goes on from its stored position misses nothing that it has not seen.
 * - Every call ends in bounded time.
 */
export interface EventLog {
  /**
   * Resolves when the records are durable, in this order. Rejects with `recording.unavailable`: outcome unknown; with
   * `config.invalid` where the log is not set up to keep them: nothing was written.
   */
  append(topic: string, records: readonly EventRecord[]): Promise<void>;
  /**
   * The last record of a key; null where there is none. A lower bound: appends of another process that have not
   * ended yet may land behind it.
   */
  head(topic: string, key: string): Promise<StoredRecord | null>;
  /** Reads from the given positions on, for ever; resolves on abort. */
  subscribe(subscription: Subscription): Promise<void>;
  /** Lets appends that run finish, then lets go of the log. */
  close(): Promise<void>;
}

/** Key of a partition in `Subscription.from`. */
export const partitionKey = (record: Pick<StoredRecord, 'topic' | 'partition'>): string =>
  `${record.topic}/${record.partition}`;
