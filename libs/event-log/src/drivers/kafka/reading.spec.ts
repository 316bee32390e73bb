import { setTimeout as delay } from 'node:timers/promises';
import { type KafkaInstance, someKafka, whyNoKafka } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newTopic, Reader, record, textOf } from '../../contract/index.js';
import { type EventLog, partitionKey } from '../../event-log.js';
import { administer } from './connection.driver.js';
import { openKafkaEventLog } from './index.js';
import { formatPosition } from './position.js';
import { parseKafkaUrl } from './url.js';

const withKafka = (await whyNoKafka('any')) === null ? describe : describe.skip;

let kafka: Pick<KafkaInstance, 'url' | 'stop'>;
let log: EventLog;

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

async function fill(topic: string, from: number, to: number, key = '/a/1'): Promise<void> {
  for (let at = from; at < to; at += 500) {
    await log.append(
      topic,
      numbers(at, Math.min(to, at + 500)).map((text) => record(key, text)),
    );
  }
}

withKafka('readers of the Kafka event log', () => {
  beforeAll(async () => {
    kafka = await someKafka();
    log = await openKafkaEventLog(kafka.url());
  }, 180_000);
  afterAll(async () => {
    await log?.close();
    await kafka?.stop();
  }, 60_000);

  it('may be as slow as they like', async () => {
    const topic = newTopic();
    await fill(topic, 0, 40);
    const reader = new Reader(log, [topic], 10);
    const troubles: Error[] = [];
    reader.onTrouble = (error) => troubles.push(error);
    const take = reader.take.bind(reader);
    let batches = 0;
    reader.takeSlowly = async (batch) => {
      batches += 1;
      // Longer than the client waits for any answer, and than a session of a consumer group would last with it.
      if (batches === 2) await delay(11_000);
      take(batch);
    };
    reader.start();
    await fill(topic, 40, 60);
    await reader.until(60);
    await reader.stop();
    expect(reader.texts()).toEqual(numbers(0, 60));
    expect(troubles).toEqual([]);
  }, 60_000);

  it('take nothing from one another, come and go as they like, and each has everything', async () => {
    const topic = newTopic();
    const other = await openKafkaEventLog(kafka.url());
    const readers = [log, log, other].map((door) => new Reader(door, [topic], 16).start());
    let stopped = false;
    const restarting = (async () => {
      for (let round = 0; !stopped; round += 1) {
        const reader = readers[round % readers.length];
        await reader?.stop();
        reader?.start();
        await delay(5);
      }
    })();
    for (let number = 0; number < 200; number += 1) {
      await log.append(topic, [record(`/p/${number % 3}`, String(number))]);
    }
    stopped = true;
    await restarting;
    for (const reader of readers) {
      await reader.until(200);
      await reader.stop();
      expect(reader.texts()).toEqual(numbers(0, 200));
    }
    await other.close();
  });

  it('find the head of a key far from the end, and none of a key that was never used', async () => {
    const topic = newTopic();
    await fill(topic, 0, 3, '/early/1');
    await fill(topic, 0, 3_000, '/late/1');
    expect(await log.head(topic, '/never/1')).toBeNull();
    for (const [key, text] of [
      ['/early/1', '2'],
      ['/late/1', '2999'],
    ] as const) {
      const head = await log.head(topic, key);
      expect(head === null ? null : textOf(head)).toBe(text);
    }
  });

  it('say so when records ended their retention before they were read, and go on with the first there is', async () => {
    const topic = newTopic();
    await fill(topic, 0, 10);
    const first = await new Reader(log, [topic], 3).start().until(3);
    await first.stop();
    const address = parseKafkaUrl(kafka.url());
    await administer(address, 'test', async (admin) => {
      // The client has to know the topic first.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '8' }] });
    });
    const later = new Reader(log, [topic]);
    const troubles: Error[] = [];
    later.onTrouble = (error) => troubles.push(error);
    later.positions.set(`${topic}/0`, formatPosition(2));
    await later.start().until(2);
    await later.stop();
    expect(later.texts()).toEqual(['8', '9']);
    expect(String(troubles)).toContain('5 records of');
    expect(await log.head(topic, '/other/1')).toBeNull();
  });

  it('refuse a topic that ends before their position: it is another one', async () => {
    const topic = newTopic();
    await fill(topic, 0, 3);
    const reading = log.subscribe({
      topics: [topic],
      from: new Map([[partitionKey({ topic, partition: 0 }), formatPosition(3)]]),
      signal: new AbortController().signal,
      onBatch: async () => undefined,
    });
    await expect(reading).rejects.toMatchObject({
      code: 'config.invalid',
      detail: expect.stringContaining('ends before the stored position'),
    });
  });
});
