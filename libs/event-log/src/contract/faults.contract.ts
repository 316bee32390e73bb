import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import type { EventLog } from '../event-log.js';
import { appendSurely, type EventLogFixture, newTopic, Reader, record } from './fixture.js';

/** Milliseconds in which every call of a log without its server has to end. */
const BOUND = 15_000;

export function faultsContract(fixture: () => EventLogFixture, log: () => EventLog): void {
  it('refuses in bounded time while the server is gone, and recovers by itself', async () => {
    const topic = newTopic();
    await fixture().createTopics([topic]);
    const reader = new Reader(log(), [topic]).start();
    await log().append(topic, [record('/a/1', '1')]);
    await fixture().kill();
    try {
      const begin = performance.now();
      const calls = [log().append(topic, [record('/a/1', '2')]), log().head(topic, '/a/1')];
      for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'recording.unavailable' });
      expect(performance.now() - begin).toBeLessThan(BOUND);
    } finally {
      await fixture().restart();
    }
    // Outcome unknown: the same again.
    await appendSurely(log(), topic, [record('/a/1', '2')]);
    await appendSurely(log(), topic, [record('/a/1', '3')]);
    await reader.until(3);
    await reader.stop();
    expect(reader.texts()).toEqual(['1', '2', '3']);
  }, 180_000);

  it('loses nothing it acknowledged when the server is killed amid appends', async () => {
    const topic = newTopic();
    await fixture().createTopics([topic]);
    const reader = new Reader(log(), [topic]).start();
    const acknowledged = new Map<string, number>();
    let stopped = false;
    let unknown = 0;
    const producers = ['/p/1', '/p/2', '/p/3'].map(async (key) => {
      for (let number = 0; !stopped; number += 1) {
        const { attempts } = await appendSurely(log(), topic, [record(key, String(number))]);
        if (attempts > 1) unknown += 1;
        acknowledged.set(key, number + 1);
      }
    });
    for (let round = 0; round < 3; round += 1) {
      await delay(120 + round * 37);
      await fixture().kill();
      await fixture().restart();
    }
    await delay(200);
    stopped = true;
    await Promise.all(producers);
    const total = [...acknowledged.values()].reduce((sum, count) => sum + count, 0);
    await reader.until(total);
    await reader.stop();
    for (const [key, count] of acknowledged) {
      expect(reader.texts(key)).toEqual(Array.from({ length: count }, (_, number) => String(number)));
    }
    expect(unknown).toBeGreaterThan(0);
  }, 180_000);
}
