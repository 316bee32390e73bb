import { CountersignError } from '@countersign/errors';
import { MAX_APPEND_BYTES, MAX_KEY_LENGTH, MAX_RECORDS, MAX_SIGNATURE_BYTES } from '../../limits.js';

/** Bytes of a record beside key, value and signature, and of a batch (KIP-98), generously. */
const RECORD_OVERHEAD = 64;
const BATCH_OVERHEAD = 1_024;

/** Bytes that a topic has to take in one batch: the largest append, which is never divided. */
export const LARGEST_BATCH =
  MAX_APPEND_BYTES + MAX_RECORDS * (MAX_KEY_LENGTH + MAX_SIGNATURE_BYTES + RECORD_OVERHEAD) + BATCH_OVERHEAD;

/** Replicas of a new topic, where the cluster has as many brokers. */
const REPLICAS = 3;

const WEEK = 7 * 24 * 60 * 60 * 1_000;
// The codecs that the client can read without further packages.
const READABLE = ['producer', 'uncompressed', 'gzip'];

/** A topic as Kafka describes it. */
export interface TopicDescription {
  readonly partitions: readonly { readonly replicas: number; readonly inSync: number }[];
  /** Settings in force, defaults of the cluster included. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Names of the settings that are looked at. */
export const CHECKED_SETTINGS = [
  'min.insync.replicas',
  'unclean.leader.election.enable',
  'max.message.bytes',
  'cleanup.policy',
  'compression.type',
  'retention.ms',
  'retention.bytes',
] as const;

/** How a topic is made. Every acknowledged record is then on two brokers, where there are two, and stays. */
export function newTopic(topic: string, brokers: number) {
  const replicationFactor = Math.max(1, Math.min(REPLICAS, brokers));
  const settings: Record<(typeof CHECKED_SETTINGS)[number], string> = {
    'min.insync.replicas': replicationFactor > 1 ? '2' : '1',
    'unclean.leader.election.enable': 'false',
    'max.message.bytes': String(LARGEST_BATCH),
    'cleanup.policy': 'delete',
    'compression.type': 'producer',
    'retention.ms': '-1',
    'retention.bytes': '-1',
  };
  return {
    topic,
    numPartitions: 1,
    replicationFactor,
    configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
  };
}

/** What keeps a topic from keeping the event log's promises, a sentence each; empty where nothing does. */
export function faultsOf({ partitions, settings }: TopicDescription): readonly string[] {
  const faults: string[] = [];
  const number = (name: (typeof CHECKED_SETTINGS)[number]) => Number(settings[name]);
  if (partitions.length !== 1) {
    faults.push(`it has ${partitions.length} partitions, and the order of events needs exactly one`);
  }
  const replicas = Math.min(...partitions.map((partition) => partition.replicas));
  const inSync = number('min.insync.replicas');
  if (inSync > replicas) {
    faults.push(
      `min.insync.replicas is ${inSync}, and it has only ${replicas} replicas, so nothing can be appended`,
    );
  }
  if (replicas > 1 && !(inSync >= 2)) {
    faults.push(
      `min.insync.replicas is ${inSync}, and at least 2 are needed, or the loss of one broker may lose events`,
    );
  }
  if (settings['unclean.leader.election.enable'] !== 'false') {
    faults.push('unclean.leader.election.enable has to be false, or acknowledged events may be lost');
  }
  if (!(number('max.message.bytes') >= LARGEST_BATCH)) {
    faults.push(
      `max.message.bytes is ${settings['max.message.bytes']}, and has to be at least ${LARGEST_BATCH}`,
    );
  }
  if (settings['cleanup.policy'] !== 'delete') {
    faults.push('cleanup.policy has to be delete, for compaction removes events');
  }
  if (!READABLE.includes(settings['compression.type'] ?? '')) {
    faults.push(
      `compression.type is ${settings['compression.type']}, and has to be one of ${READABLE.join(', ')}`,
    );
  }
  const retention = number('retention.ms');
  if (!(retention === -1 || retention >= WEEK)) {
    faults.push('retention.ms is shorter than a week, in which evidence may be down');
  }
  if (number('retention.bytes') !== -1)
    faults.push('retention.bytes has to be -1, or a flood pushes events out');
  return faults;
}

/**
 * Throws `config.invalid` for a topic that can never keep the promises, `recording.unavailable` for one that lacks
 * replicas just now.
 */
export function demandSettings(topic: string, description: TopicDescription): void {
  const faults = faultsOf(description);
  if (faults.length > 0) {
    throw new CountersignError('config.invalid', {
      detail: `The Kafka topic ${topic} cannot be used: ${faults.join('; ')}.`,
      next: 'Correct the settings of the topic, or delete it while it is empty and let it be created.',
    });
  }
  const needed = Number(description.settings['min.insync.replicas']);
  const there = Math.min(...description.partitions.map(({ inSync }) => inSync));
  if (there < needed) {
    throw new CountersignError('recording.unavailable', {
      detail: `The Kafka topic ${topic} has ${there} replicas in sync just now, and needs ${needed}.`,
    });
  }
}
