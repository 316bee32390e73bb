import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { type EventLog, partitionKey, type StoredRecord } from '../event-log.js';
import { Reader, record } from './fixture.js';

type Topics = (count?: number) => Promise<string[]>;

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

export function subscribingContract(
  log: () => EventLog,
  open: () => Promise<EventLog>,
  topics: Topics,
): void {
  it('delivers what is there and what comes, of all topics it was asked for and no other', async () => {
    const [one = '', two = '', other = ''] = await topics(3);
    await log().append(one, [record('/a/1', '1')]);
    const reader = await new Reader(log(), [one, two]).start().until(1);
    await log().append(other, [record('/a/1', 'no')]);
    await log().append(two, [record('/a/1', '2')]);
    await log().append(one, [record('/a/1', '3')]);
    await reader.until(3);
    await reader.stop();
    expect(reader.texts().sort()).toEqual(['1', '2', '3']);
  });

  it('goes on from every stored position without missing anything', async () => {
    const [topic = ''] = await topics();
    const all = numbers(0, 30);
    for (const text of all) await log().append(topic, [record('/a/1', text)]);
    const first = await new Reader(log(), [topic]).start().until(30);
    await first.stop();
    for (const [index, stored] of first.records.entries()) {
      const later = new Reader(log(), [topic]);
      later.positions.set(partitionKey(stored), stored.position);
      await later.start().until(all.length - index - 1);
      await later.stop();
      // A copy of what was seen is allowed; a hole is not.
      for (const text of all.slice(index + 1)) expect(later.texts()).toContain(text);
    }
  });

  it('gives positions that grow within a partition', async () => {
    const [topic = ''] = await topics();
    for (let number = 0; number < 12; number += 3) {
      await log().append(
        topic,
        numbers(number, number + 3).map((text) => record('/a/1', text)),
      );
    }
    const reader = await new Reader(log(), [topic], 5).start().until(12);
    await reader.stop();
    const byPartition = Map.groupBy(reader.records, partitionKey);
    for (const stored of byPartition.values()) {
      const positions = stored.map(({ position }) => position);
      expect(positions).toEqual([...new Set(positions)].sort());
    }
  });

  it('misses nothing while many producers append through several doors', async () => {
    const [topic = ''] = await topics();
    const other = await open();
    try {
      const reader = new Reader(log(), [topic], 16).start();
      const doors = [log(), other];
      await Promise.all(
        Array.from({ length: 8 }, async (_, producer) => {
          for (let number = 0; number < 40; number += 1) {
            await doors[producer % 2]?.append(topic, [record(`/p/${producer}`, String(number))]);
            // The reader stops and goes on from its positions in between.
            if (producer === 0 && number % 10 === 9) {
              await reader.stop();
              reader.start();
            }
          }
        }),
      );
      await reader.until(8 * 40);
      await reader.stop();
      for (let producer = 0; producer < 8; producer += 1) {
        expect(reader.texts(`/p/${producer}`)).toEqual(numbers(0, 40));
      }
    } finally {
      await other.close();
    }
  });

  it('calls its consumer with no more than asked for, and never twice at a time', async () => {
    const [topic = ''] = await topics();
    await log().append(
      topic,
      numbers(0, 25).map((text) => record('/a/1', text)),
    );
    const stop = new AbortController();
    let [running, most, largest, total] = [0, 0, 0, 0];
    await log().subscribe({
      topics: [topic],
      from: new Map(),
      maxBatch: 4,
      signal: stop.signal,
      onBatch: async (batch: readonly StoredRecord[]) => {
        running += 1;
        most = Math.max(most, running);
        largest = Math.max(largest, batch.length);
        await delay(2);
        total += batch.length;
        running -= 1;
        if (total >= 25) stop.abort();
      },
    });
    expect({ most, largest, total }).toEqual({ most: 1, largest: 4, total: 25 });
  });

  it('ends with the error of its consumer, and delivers the same records to the next one', async () => {
    const [topic = ''] = await topics();
    await log().append(topic, [record('/a/1', '1')]);
    const failure = new Error('The consumer is broken.');
    const reading = log().subscribe({
      topics: [topic],
      from: new Map(),
      signal: new AbortController().signal,
      onBatch: async () => {
        throw failure;
      },
    });
    await expect(reading).rejects.toBe(failure);
    const reader = await new Reader(log(), [topic]).start().until(1);
    await reader.stop();
    expect(reader.texts()).toEqual(['1']);
  });

  it('resolves on abort: before it begins, while it waits, and after the batch at hand', async () => {
    const [topic = ''] = await topics();
    const idle = new Reader(log(), [topic]).start();
    await delay(50);
    await idle.stop();
    const onBatch = async () => undefined;
    await log().subscribe({ topics: [topic], from: new Map(), signal: AbortSignal.abort(), onBatch });
    await log().append(topic, [record('/a/1', '1')]);
    const stop = new AbortController();
    let finished = false;
    await log().subscribe({
      topics: [topic],
      from: new Map(),
      signal: stop.signal,
      onBatch: async () => {
        stop.abort();
        await delay(30);
        finished = true;
      },
    });
    expect(finished).toBe(true);
  });

  it('ends with the log, which may be closed more than once', async () => {
    const [topic = ''] = await topics();
    const own = await open();
    const reading = own.subscribe({
      topics: [topic],
      from: new Map(),
      signal: new AbortController().signal,
      onBatch: async () => undefined,
    });
    const last = own.append(topic, [record('/a/1', 'last')]);
    await own.close();
    await own.close();
    await Promise.all([reading, last]);
    const refused = { code: 'recording.unavailable' };
    await expect(own.append(topic, [record('/a/1', 'late')])).rejects.toMatchObject(refused);
    await expect(own.head(topic, '/a/1')).rejects.toMatchObject(refused);
    const head = await log().head(topic, '/a/1');
    expect(Buffer.from(head?.value ?? []).toString()).toBe('last');
  });
}
