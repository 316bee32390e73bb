import { inspect } from 'node:util';
import { type KafkaInstance, startKafka, whyNoKafka } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newTopic, Reader, record } from '../../contract/index.js';
import type { EventLog } from '../../event-log.js';
import { administer } from './connection.driver.js';
import { createEventLogTopics, openKafkaEventLog } from './index.js';
import { parseKafkaUrl } from './url.js';

const withKafka = (await whyNoKafka()) === null ? describe : describe.skip;
const password = 'secret-of-a-test';

let kafka: KafkaInstance;
const [own, foreign] = [newTopic(), newTopic()];

async function using<T>(user: string, work: (log: EventLog) => Promise<T>): Promise<T> {
  const log = await openKafkaEventLog(kafka.url(user));
  try {
    return await work(log);
  } finally {
    await log.close();
  }
}

withKafka('a Kafka event log with passwords, TLS and access lists', () => {
  beforeAll(async () => {
    kafka = await startKafka({ tls: true, users: { policy: password, soc: password } });
    await createEventLogTopics(kafka.url(), [own, foreign], { append: { policy: [own] }, read: ['soc'] });
    // Again: nothing is in the way of a second start.
    await createEventLogTopics(kafka.url(), [own, foreign], { append: { policy: [own] }, read: ['soc'] });
  }, 180_000);
  afterAll(async () => {
    await kafka?.stop();
  }, 60_000);

  it('lets a service append to its own topic, and to no other', async () => {
    await using('policy', async (log) => {
      await log.append(own, [record('/policy/1', '1')]);
      expect(await log.head(own, '/policy/1')).not.toBeNull();
      await expect(log.append(foreign, [record('/policy/1', '1')])).rejects.toMatchObject({
        code: 'config.invalid',
      });
      await expect(log.append(newTopic(), [record('/policy/1', '1')])).rejects.toMatchObject({
        code: 'config.invalid',
      });
    });
    await using('admin', async (log) => {
      expect(await log.head(foreign, '/policy/1')).toBeNull();
    });
  });

  it('lets a reader read, and neither append, create, delete nor configure', async () => {
    await using('policy', (log) => log.append(own, [record('/policy/read', '1')]));
    await using('soc', async (log) => {
      const reader = await new Reader(log, [own, foreign]).start().until(1);
      await reader.stop();
      expect(await log.head(own, '/policy/read')).not.toBeNull();
      await expect(log.append(own, [record('/policy/read', '2')])).rejects.toMatchObject({
        code: 'recording.unavailable',
      });
      await expect(log.head(newTopic(), '/policy/read')).rejects.toMatchObject({ code: 'config.invalid' });
    });
    const address = parseKafkaUrl(kafka.url('soc'));
    const attempts = {
      create: () =>
        administer(address, 'test', (admin) => admin.createTopics({ topics: [{ topic: newTopic() }] })),
      delete: () => administer(address, 'test', (admin) => admin.deleteTopics({ topics: [own] })),
      empty: () =>
        administer(address, 'test', async (admin) => {
          await admin.fetchTopicOffsets(own);
          await admin.deleteTopicRecords({ topic: own, partitions: [{ partition: 0, offset: '1' }] });
        }),
      configure: () =>
        administer(address, 'test', (admin) =>
          admin.alterConfigs({
            validateOnly: false,
            resources: [{ type: 2, name: own, configEntries: [{ name: 'retention.ms', value: '1' }] }],
          }),
        ),
      grant: () =>
        administer(address, 'test', (admin) =>
          admin.createAcls({
            acl: [
              {
                resourceType: 2,
                resourceName: own,
                resourcePatternType: 3,
                principal: 'User:soc',
                host: '*',
                operation: 4,
                permissionType: 3,
              },
            ],
          }),
        ),
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      const outcome: unknown = await attempt().then(
        () => `${name} was allowed`,
        (error: unknown) => error,
      );
      expect(`${name}: ${inspect(outcome, { depth: 6 })}`).toContain('AUTHORIZATION_FAILED');
    }
    await using('admin', async (log) => {
      const reader = await new Reader(log, [own]).start().until(2);
      await reader.stop();
      expect(reader.texts('/policy/read')).toEqual(['1']);
    });
  }, 120_000);

  it('says at once, each time, that a password is wrong, and does not repeat it', async () => {
    const url = kafka.url('policy').replace(password, 'a-wrong-password');
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const error: unknown = await openKafkaEventLog(url).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'config.invalid',
        detail: 'Kafka does not accept the user and password of the event log.',
      });
      expect(String(error)).not.toContain('a-wrong-password');
    }
  }, 120_000);

  it('refuses a broker whose certificate nobody vouches for', async () => {
    const url = kafka.url('policy').replace(/tls=.*/, 'tls=system');
    await expect(openKafkaEventLog(url)).rejects.toMatchObject({
      code: 'config.invalid',
      detail: expect.stringContaining('certificate'),
    });
  }, 60_000);

  it.each([
    ['without TLS', (url: string) => url.replace(/\?.*/, '')],
    ['without a password', (url: string) => url.replace(/\/\/.*@/, '//')],
  ])(
    'ends in bounded time %s',
    async (_, change) => {
      const opening = openKafkaEventLog(change(kafka.url('policy')));
      await expect(opening).rejects.toMatchObject({ code: expect.stringMatching(/^(recording|config)\./) });
    },
    60_000,
  );

  it('names files that it cannot read', async () => {
    for (const query of ['tls=/nowhere/ca.pem', 'passwordFile=/nowhere/password']) {
      const url = `kafka://policy${query.startsWith('tls') ? ':x' : ''}@127.0.0.1:${kafka.port}?${query}`;
      await expect(openKafkaEventLog(url)).rejects.toMatchObject({ code: 'config.invalid' });
    }
  });
});
