import type Cluster from 'kafkajs/src/cluster/index.js';
import type { FetchedMessage } from 'kafkajs/src/cluster/index.js';
import type { StoredRecord } from '../../event-log.js';
import { SIGNATURE } from './appending.driver.js';
import { formatPosition } from './position.js';

/** Every topic has one partition. */
const PARTITION = 0;
/** Bytes of one answer, of all topics and of each; a larger batch comes alone. */
const MOST_BYTES = { all: 8 * 1024 * 1024, each: 2 * 1024 * 1024 };

/** A record, and the offset behind it. */
export interface Fetched {
  readonly record: StoredRecord;
  readonly next: number;
}

/** What was read of a topic. */
export interface Part {
  readonly topic: string;
  readonly records: readonly Fetched[];
  /** Where to read on: behind the last record, also where that one is not to be given out. */
  readonly next: number;
}

/** Offsets of a topic: the first there is, and the one behind the last that all replicas in sync have. */
export interface Bounds {
  readonly first: number;
  readonly end: number;
}

export const leaderOf = (cluster: Cluster, topic: string): number => {
  const partition = cluster
    .findTopicPartitionMetadata(topic)
    .find(({ partitionId }) => partitionId === PARTITION);
  if (partition === undefined || partition.leader < 0) throw new Error(`Nobody leads the topic ${topic}.`);
  return partition.leader;
};

/** Bounds of topics whose metadata the cluster knows. */
export async function boundsOf(cluster: Cluster, topics: readonly string[]): Promise<Map<string, Bounds>> {
  const offsets = async (fromBeginning: boolean): Promise<Map<string, number>> => {
    const partitions = [{ partition: PARTITION }];
    const found = await cluster.fetchTopicsOffset(
      topics.map((topic) => ({ topic, partitions, fromBeginning })),
    );
    return new Map(found.map(({ topic, partitions }) => [topic, Number(partitions[0]?.offset)]));
  };
  const [first, end] = await Promise.all([offsets(true), offsets(false)]);
  return new Map(topics.map((topic) => [topic, { first: first.get(topic) ?? 0, end: end.get(topic) ?? 0 }]));
}

const signatureOf = (header: FetchedMessage['headers'][string] | undefined): Uint8Array | null => {
  const value = Array.isArray(header) ? header.at(-1) : header;
  return Buffer.isBuffer(value) ? value : null;
};

const toRecord = (topic: string, message: FetchedMessage, offset: number): StoredRecord => ({
  topic,
  partition: PARTITION,
  position: formatPosition(offset),
  key: message.key?.toString('utf8') ?? '',
  value: message.value ?? Buffer.alloc(0),
  signature: signatureOf(message.headers[SIGNATURE]),
});

/**
 * Reads on in topics that one broker leads, up to what all replicas in sync have. Waits up to `patience` milliseconds
 * where there is nothing yet. Reads what transactions of others left uncommitted, too: it is in the log for good, and
 * nobody can hold up readers by leaving one open.
 */
export async function fetchAfter(
  cluster: Cluster,
  leader: number,
  places: ReadonlyMap<string, number>,
  patience: number,
): Promise<readonly Part[]> {
  const broker = await cluster.findBroker({ nodeId: leader });
  const { responses } = await broker.fetch({
    isolationLevel: 0,
    maxWaitTime: patience,
    minBytes: 1,
    maxBytes: MOST_BYTES.all,
    topics: [...places].map(([topic, offset]) => ({
      topic,
      partitions: [{ partition: PARTITION, fetchOffset: String(offset), maxBytes: MOST_BYTES.each }],
    })),
  });
  return responses.flatMap(({ topicName: topic, partitions }) => {
    const messages = partitions.flatMap((partition) => partition.messages);
    const from = places.get(topic) ?? 0;
    const records: Fetched[] = [];
    let next = from;
    for (const message of messages) {
      const offset = Number(message.offset);
      // An answer begins with the whole batch that an offset lies in.
      if (offset < from) continue;
      next = offset + 1;
      if (!message.isControlRecord) records.push({ record: toRecord(topic, message, offset), next });
    }
    return next === from ? [] : [{ topic, records, next }];
  });
}
