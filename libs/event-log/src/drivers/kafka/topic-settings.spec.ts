import { describe, expect, it } from '@jest/globals';
import {
  demandSettings,
  faultsOf,
  LARGEST_BATCH,
  newTopic,
  type TopicDescription,
} from './topic-settings.js';

const described = (
  brokers: number,
  changes: Record<string, string> = {},
  partitions?: TopicDescription['partitions'],
): TopicDescription => {
  const { replicationFactor, configEntries } = newTopic('t', brokers);
  const settings = Object.fromEntries(configEntries.map(({ name, value }) => [name, value]));
  return {
    partitions: partitions ?? [{ replicas: replicationFactor, inSync: replicationFactor }],
    settings: { ...settings, ...changes },
  };
};

describe('the settings of a topic', () => {
  it.each([1, 2, 3, 7])('are right as they are made on %i brokers', (brokers) => {
    expect(faultsOf(described(brokers))).toEqual([]);
    expect(newTopic('t', brokers).replicationFactor).toBe(Math.min(3, brokers));
  });

  it.each<[string, TopicDescription]>([
    ['min.insync.replicas is 2, and it has only 1', described(1, { 'min.insync.replicas': '2' })],
    ['at least 2 are needed', described(3, { 'min.insync.replicas': '1' })],
    ['unclean.leader.election.enable', described(3, { 'unclean.leader.election.enable': 'true' })],
    ['max.message.bytes is 1048588', described(3, { 'max.message.bytes': '1048588' })],
    ['max.message.bytes', described(3, { 'max.message.bytes': String(LARGEST_BATCH - 1) })],
    ['cleanup.policy', described(3, { 'cleanup.policy': 'compact,delete' })],
    ['compression.type is zstd', described(3, { 'compression.type': 'zstd' })],
    ['retention.ms', described(3, { 'retention.ms': '3600000' })],
    ['retention.bytes', described(3, { 'retention.bytes': '1073741824' })],
    ['it has 2 partitions', described(3, {}, Array(2).fill({ replicas: 3, inSync: 3 }))],
    ['max.message.bytes is undefined', { partitions: [{ replicas: 1, inSync: 1 }], settings: {} }],
  ])('are refused with the reason "%s"', (reason, description) => {
    expect(faultsOf(description).join()).toContain(reason);
    expect(() => demandSettings('t', description)).toThrow(reason);
  });

  it('may be right while replicas are missing, which may be otherwise in a moment', () => {
    const short = described(3, {}, [{ replicas: 3, inSync: 1 }]);
    expect(faultsOf(short)).toEqual([]);
    expect(() => demandSettings('t', short)).toThrow(
      expect.objectContaining({ code: 'recording.unavailable' }),
    );
  });
});
