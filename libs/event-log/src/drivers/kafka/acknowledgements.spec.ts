import {
  type FaultyProxy,
  freePort,
  type KafkaInstance,
  startFaultyProxy,
  startKafka,
  waitUntil,
  whyNoKafka,
} from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { appendSurely, newTopic, Reader, record, textOf } from '../../contract/index.js';
import type { EventLog } from '../../event-log.js';
import { openKafkaEventLog } from './index.js';

/** Cuts of the connection between the broker's append and its answer. */
const CUTS = process.env.FULL === '1' ? 40 : 10;
const CALLERS = 6;

const withKafka = (await whyNoKafka()) === null ? describe : describe.skip;

let kafka: KafkaInstance;
let proxy: FaultyProxy;
let log: EventLog;
let direct: EventLog;

withKafka('appends to the Kafka event log', () => {
  beforeAll(async () => {
    const port = await freePort();
    proxy = await startFaultyProxy({ host: '127.0.0.1', port });
    kafka = await startKafka({ behind: { port, advertised: proxy.port } });
    log = await openKafkaEventLog(`kafka://127.0.0.1:${proxy.port}`, { appendTimeout: 3_000 });
    direct = await openKafkaEventLog(kafka.url());
  }, 180_000);
  afterAll(async () => {
    await log?.close();
    await direct?.close();
    await proxy?.close();
    await kafka?.stop();
  }, 60_000);

  it(`whose answers are lost ${CUTS} times lose nothing acknowledged, and copies are known as such`, async () => {
    const topic = newTopic();
    const acknowledged = new Map<string, number>();
    let [total, unknown, stopped] = [0, 0, false];
    // Overlapping: what each caller sends meanwhile travels together with what is sent again.
    const callers = Array.from({ length: CALLERS }, async (_, caller) => {
      const key = `/caller/${caller}`;
      for (let number = 0; !stopped; number += 1) {
        const { attempts } = await appendSurely(log, topic, [
          record(key, `${number}a`),
          record(key, `${number}b`),
        ]);
        unknown += attempts - 1;
        total += 1;
        acknowledged.set(key, number + 1);
      }
    });
    for (let cut = 0; cut < CUTS; cut += 1) {
      const before = total;
      await waitUntil(() => total > before + CALLERS);
      await proxy.cutAtAnswer();
    }
    const before = total;
    await waitUntil(() => total > before + CALLERS);
    stopped = true;
    await Promise.all(callers);

    // Every record there is, copies and all.
    const texts = new Map<string, string[]>();
    const reader = new Reader(direct, [topic]);
    reader.take = (batch) => {
      for (const stored of batch) texts.set(stored.key, [...(texts.get(stored.key) ?? []), textOf(stored)]);
      Reader.prototype.take.call(reader, batch);
    };
    await reader.start().until(total * 2);
    await reader.stop();
    expect(acknowledged.size).toBe(CALLERS);
    let copies = 0;
    for (const [key, count] of acknowledged) {
      const sent = Array.from({ length: count }, (_, number) => [`${number}a`, `${number}b`]).flat();
      const there = texts.get(key) ?? [];
      expect([...new Set(there)]).toEqual(sent);
      copies += there.length - sent.length;
    }
    // Each cut left an append that was there and reported as unknown, so the same again is a copy.
    expect(unknown).toBeGreaterThanOrEqual(CUTS);
    expect(copies).toBeGreaterThanOrEqual(CUTS * 2);
  }, 300_000);

  it('end in bounded time where the network is gone, and recover by themselves', async () => {
    const topic = newTopic();
    await log.append(topic, [record('/a/1', '0')]);
    proxy.stall();
    const appends = ['1', '2', '3'].map((text) => log.append(topic, [record('/a/1', text)]));
    for (const append of appends)
      await expect(append).rejects.toMatchObject({ code: 'recording.unavailable' });
    proxy.pass();
    proxy.cut();
    await appendSurely(log, topic, [record('/a/1', '4')]);
    const head = await direct.head(topic, '/a/1');
    expect(head === null ? null : textOf(head)).toBe('4');
  }, 120_000);

  it('share a send when they come together, each topic its own', async () => {
    const topics = [newTopic(), newTopic()];
    await Promise.all(
      Array.from({ length: 100 }, (_, number) =>
        log.append(topics[number % 2] ?? '', [record('/a/1', String(number))]),
      ),
    );
    const reader = await new Reader(direct, topics).start().until(100);
    await reader.stop();
    for (const [parity, topic] of topics.entries()) {
      expect(reader.records.filter((stored) => stored.topic === topic).map(textOf)).toEqual(
        Array.from({ length: 50 }, (_, index) => String(index * 2 + parity)),
      );
    }
  });
});
