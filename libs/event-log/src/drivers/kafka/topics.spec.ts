import { type KafkaInstance, someKafka, whyNoKafka } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ITopicConfig } from 'kafkajs';
import { newTopic, record } from '../../contract/index.js';
import type { EventLog } from '../../event-log.js';
import { administer } from './connection.driver.js';
import { openKafkaEventLog } from './index.js';
import { parseKafkaUrl } from './url.js';

const withKafka = (await whyNoKafka('any')) === null ? describe : describe.skip;

let kafka: Pick<KafkaInstance, 'url' | 'stop'>;
let log: EventLog;

async function made(topic: Omit<ITopicConfig, 'topic'>): Promise<string> {
  const name = newTopic();
  await administer(parseKafkaUrl(kafka.url()), 'test', (admin) =>
    admin.createTopics({ topics: [{ topic: name, replicationFactor: 1, ...topic }], waitForLeaders: true }),
  );
  return name;
}

withKafka('the topics of the Kafka event log', () => {
  beforeAll(async () => {
    kafka = await someKafka();
    log = await openKafkaEventLog(kafka.url());
  }, 180_000);
  afterAll(async () => {
    await log?.close();
    await kafka?.stop();
  }, 60_000);

  it('are made as the promises need them', async () => {
    const topic = newTopic();
    await log.append(topic, [record('/a/1', '1')]);
    const { resources } = await administer(parseKafkaUrl(kafka.url()), 'test', (admin) =>
      admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name: topic }] }),
    );
    const settings = Object.fromEntries(
      resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]) ?? [],
    );
    expect(settings).toMatchObject({
      'cleanup.policy': 'delete',
      'retention.ms': '-1',
      'retention.bytes': '-1',
    });
  });

  it.each<[string, Omit<ITopicConfig, 'topic'>]>([
    ['min.insync.replicas is 2', { configEntries: [{ name: 'min.insync.replicas', value: '2' }] }],
    ['max.message.bytes is 1000', { configEntries: [{ name: 'max.message.bytes', value: '1000' }] }],
    ['2 partitions', { numPartitions: 2 }],
    ['compaction', { configEntries: [{ name: 'cleanup.policy', value: 'compact' }] }],
  ])('are refused at the start where they break them: %s', async (reason, settings) => {
    const topic = await made(settings);
    const refused = { code: 'config.invalid', detail: expect.stringContaining(reason) };
    // What a producer does first, and what comes then.
    await expect(log.head(topic, '/a/1')).rejects.toMatchObject(refused);
    await expect(log.append(topic, [record('/a/1', '1')])).rejects.toMatchObject(refused);
  });
});
