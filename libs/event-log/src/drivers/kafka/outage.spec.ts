import { setTimeout as delay } from 'node:timers/promises';
import { type KafkaInstance, startKafka, waitUntil, whyNoKafka } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { appendSurely, newTopic, Reader, record } from '../../contract/index.js';
import type { EventLog } from '../../event-log.js';
import { openKafkaEventLog } from './index.js';

/** Seconds for which the broker is away; the client itself gives up after about nine. */
const OUTAGES = process.env.FULL === '1' ? [15, 60] : [15];
/** Milliseconds in which an append has to end, whatever happens: connecting, sending and a pause, on a slow machine. */
const BOUND = 25_000;

const withKafka = (await whyNoKafka()) === null ? describe : describe.skip;

let kafka: KafkaInstance;
let log: EventLog;

withKafka('the Kafka event log', () => {
  beforeAll(async () => {
    kafka = await startKafka();
    log = await openKafkaEventLog(kafka.url(), { appendTimeout: 5_000 });
  }, 180_000);
  afterAll(async () => {
    await log?.close();
    await kafka?.stop();
  }, 60_000);

  /** Appends and reads while `away` happens, and shows that all goes on by itself afterwards. */
  async function survive(away: () => Promise<void>): Promise<void> {
    const topic = newTopic();
    const troubles: Error[] = [];
    const reader = new Reader(log, [topic]);
    reader.onTrouble = (error) => troubles.push(error);
    reader.start();
    let [acknowledged, refused, longest, stopped] = [0, 0, 0, false];
    const calling = (async () => {
      while (!stopped) {
        const begin = performance.now();
        const done = await log.append(topic, [record('/a/1', String(acknowledged))]).then(
          () => true,
          (error: unknown) => {
            expect(error).toMatchObject({ code: 'recording.unavailable' });
            return false;
          },
        );
        longest = Math.max(longest, performance.now() - begin);
        // The same again until it is acknowledged, as a producer does.
        if (done) acknowledged += 1;
        else refused += 1;
        await delay(20);
      }
    })();
    await waitUntil(() => acknowledged > 5);
    await away();
    const before = acknowledged;
    await waitUntil(() => acknowledged > before + 5, { timeout: 60_000, what: 'appends after the outage' });
    stopped = true;
    await calling;
    await reader.until(acknowledged);
    await reader.stop();
    expect(reader.texts()).toEqual(Array.from({ length: acknowledged }, (_, number) => String(number)));
    expect(refused).toBeGreaterThan(0);
    expect(longest).toBeLessThan(BOUND);
    expect(troubles.length).toBeGreaterThan(0);
  }

  it.each(OUTAGES)(
    'refuses in bounded time while its broker is killed for %i s, and recovers by itself',
    async (seconds) => {
      await survive(async () => {
        await kafka.kill();
        await delay(seconds * 1_000);
        await kafka.restart();
      });
    },
    300_000,
  );

  it('refuses in bounded time while its broker is there and does not answer, and recovers by itself', async () => {
    await survive(async () => {
      await kafka.freeze();
      await delay(13_000);
      await kafka.thaw();
    });
  }, 300_000);

  it('opens neither while there is no broker, nor without end', async () => {
    await kafka.kill();
    try {
      await expect(openKafkaEventLog(kafka.url())).rejects.toMatchObject({ code: 'recording.unavailable' });
    } finally {
      await kafka.restart();
    }
    const again = await openKafkaEventLog(kafka.url());
    await appendSurely(again, newTopic(), [record('/a/1', '0')]);
    await again.close();
  }, 180_000);
});
