import { setTimeout as delay } from 'node:timers/promises';
import type { EventRecord } from '@countersign/event-log';
import { waitUntil } from '@countersign/testing';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { InstanceIdentity } from '../authority/index.js';
import { parseEnvelope } from '../envelope/index.js';
import { deliver } from '../fixtures/delivered.js';
import { deployment } from '../fixtures/deployment.js';
import { numbered } from '../fixtures/drafts.js';
import { type Fate, ScriptedLog } from '../fixtures/scripted-log.store.js';
import { openProducer, type Producer, type ProducerJournal, type ProducerOptions } from './index.js';

const unavailable = { code: 'recording.unavailable' };
let identity: InstanceIdentity;

beforeAll(async () => {
  ({ identity } = await deployment('policy', 'one'));
});

const open = (log: ScriptedLog, more: Partial<ProducerOptions> = {}): Promise<Producer> =>
  openProducer({ log, service: 'policy', instance: 'one', identity, ...more });

const typesOf = (records: readonly EventRecord[]): string[] =>
  records.map(({ value }) => parseEnvelope(value).type.split('.').slice(1, 3).join('.'));

describe('a producer', () => {
  it('has one append in flight, and takes together what came meanwhile', async () => {
    const log = new ScriptedLog();
    const producer = await open(log);
    log.latency = 10;
    await Promise.all(
      Array.from({ length: 30 }, async (_, number) => {
        await delay(number % 3);
        await producer.append([numbered(number)]);
      }),
    );
    expect(log.mostInFlight).toBe(1);
    expect(log.appends.length).toBeLessThan(8);
    expect(log.appends.every((records) => records.at(-1)?.signature?.length === 64)).toBe(true);
    expect(log.appends.flatMap((records) => records.slice(0, -1)).every(({ signature }) => !signature)).toBe(
      true,
    );
    expect(deliver(log.stored).numbers.toSorted((one, other) => one - other)).toEqual([...Array(30).keys()]);
    await producer.close();
  });

  it('gathers one turn of the event loop into one append', async () => {
    const log = new ScriptedLog();
    const producer = await open(log);
    await Promise.all([1, 2, 3].map(async (number) => producer.append([numbered(number)])));
    expect(log.appends).toHaveLength(2);
    await producer.close();
  });

  it('lets lazy events ride along, or sends them after 5 ms', async () => {
    const log = new ScriptedLog();
    const producer = await open(log);
    const riding = producer.appendLazily([numbered(1)]);
    await delay(0);
    expect(log.appends).toHaveLength(1);
    await producer.append([numbered(2)]);
    await riding;
    expect(log.appends.map((records) => records.length)).toEqual([1, 2]);
    const begin = performance.now();
    await producer.appendLazily([numbered(3)]);
    expect(performance.now() - begin).toBeGreaterThan(3);
    // What is lazy does not leave early because something else was acknowledged.
    log.latency = 2;
    const urgent = producer.append([numbered(4)]);
    await delay(1);
    const lazy = producer.appendLazily([numbered(5)]);
    await urgent;
    const later = producer.append([numbered(6)]);
    await Promise.all([lazy, later]);
    expect(log.appends.slice(3).map((records) => records.length)).toEqual([1, 2]);
    await producer.close();
  });

  it('answers with the sealed events, in the order of the drafts', async () => {
    const log = new ScriptedLog();
    const producer = await open(log);
    const sealed = await producer.append([numbered(1), numbered(2)]);
    expect(sealed.map(({ value }) => Buffer.from(value))).toEqual(
      log.stored.slice(1).map(({ value }) => Buffer.from(value)),
    );
    expect(sealed[0]?.envelope).toEqual(parseEnvelope(sealed[0]?.value ?? Buffer.alloc(0)));
    expect(await producer.append([])).toEqual([]);
    await producer.close();
  });

  it('keeps a call out that cannot be sealed, without harm to its neighbours', async () => {
    const log = new ScriptedLog();
    const producer = await open(log);
    const large = 'x'.repeat(70_000);
    const [first, bad, alone, last] = await Promise.allSettled([
      producer.append([numbered(1)]),
      producer.append([numbered(2), { ...numbered(3), correlationid: large }]),
      producer.append([{ ...numbered(4), id: 'no-uuid' }]),
      producer.append([numbered(5)]),
    ]);
    expect([first.status, bad.status, alone.status, last.status]).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
    await expect(producer.append([{ ...numbered(6), id: 'no-uuid' }])).rejects.toMatchObject({
      code: 'recording.invalid',
    });
    await producer.append([numbered(8)]);
    const { numbers, epochs } = deliver(log.stored);
    expect(numbers).toEqual([1, 5, 8]);
    expect(epochs[0]?.report.fault).toBeNull();
    await producer.close();
  });

  it('takes more events in one call than fit into one batch, in their order', async () => {
    const log = new ScriptedLog();
    const producer = await open(log);
    const many = Array.from({ length: 300 }, (_, index) => numbered(index));
    const sealed = await producer.append(many);
    expect(sealed.map(({ envelope }) => envelope.seq)).toEqual(many.map((_, index) => String(index + 1)));
    expect(deliver(log.stored).numbers).toEqual(many.map((_, index) => index));
    await producer.close();
  });

  it('says first after recovery how much it refused, at once, and loses no outcome', async () => {
    const log = new ScriptedLog();
    const producer = await open(log, { deadlineMilliseconds: 60 });
    log.fates = Array.from({ length: 1_000 }, () => 'lost');
    const sealed = producer.append([numbered(1)]);
    await delay(10);
    const refused = [producer.append([numbered(2)]), producer.append([numbered(3)])];
    const lazy = producer.appendLazily([numbered(4)]);
    for (const call of [sealed, ...refused, lazy]) await expect(call).rejects.toMatchObject(unavailable);
    expect(producer.healthy).toBe(false);
    // Down for longer than the deadline: refused without waiting.
    const begin = performance.now();
    await expect(producer.append([numbered(5)])).rejects.toMatchObject(unavailable);
    expect(performance.now() - begin).toBeLessThan(30);
    // What happened meanwhile is taken all the same.
    void producer.appendLazily([numbered(6)]);
    log.fates = [];
    await waitUntil(() => producer.healthy && log.stored.length === 5);
    expect(typesOf(log.stored)).toEqual([
      'epoch.opened',
      'policy.activated',
      'recording.resumed',
      'policy.activated',
      'policy.activated',
    ]);
    expect(deliver(log.stored).numbers).toEqual([1, 4, 6]);
    const resumed = parseEnvelope(log.stored[2]?.value ?? Buffer.alloc(0));
    expect(resumed.data).toMatchObject({ refusals: 3 });
    await producer.append([numbered(7)]);
    expect(typesOf(log.stored).filter((type) => type === 'recording.resumed')).toHaveLength(1);
    await producer.close();
  });

  it('closes in bounded time whatever the log does, and takes nothing afterwards', async () => {
    const log = new ScriptedLog();
    const producer = await open(log, { deadlineMilliseconds: 10_000 });
    void producer.appendLazily([numbered(1)]);
    await producer.close();
    expect(deliver(log.stored).numbers).toEqual([1]);
    await expect(producer.append([numbered(2)])).rejects.toMatchObject(unavailable);
    const stuck = await open(log, { deadlineMilliseconds: 10_000 });
    log.fates = Array.from({ length: 1_000 }, () => 'lost');
    const waiting = stuck.append([numbered(3)]);
    waiting.catch(() => undefined);
    const begin = performance.now();
    await stuck.close();
    await stuck.close();
    expect(performance.now() - begin).toBeLessThan(5_000);
    await expect(waiting).rejects.toMatchObject(unavailable);
  });

  it('keeps one chain, without holes or forks, under every schedule of faults', async () => {
    const fate = fc.constantFrom<Fate>('done', 'lost', 'done-but-rejected');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fate, { maxLength: 6 }),
        fc.array(
          fc.record({ lazy: fc.boolean(), events: fc.integer({ min: 1, max: 4 }), pause: fc.boolean() }),
          {
            minLength: 1,
            maxLength: 12,
          },
        ),
        async (fates, calls) => {
          const log = new ScriptedLog();
          const producer = await open(log);
          log.fates = [...fates];
          let number = 0;
          const acknowledged: number[] = [];
          const running: Promise<void>[] = [];
          for (const { lazy, events, pause } of calls) {
            const own = Array.from({ length: events }, () => {
              number += 1;
              return number;
            });
            const drafts = own.map(numbered);
            const call = lazy ? producer.appendLazily(drafts) : producer.append(drafts);
            running.push(call.then(() => void acknowledged.push(...own)));
            if (pause) await delay(1);
          }
          await Promise.all(running);
          await producer.close();
          const { numbers, forks, epochs } = deliver(log.stored);
          expect(forks).toBe(0);
          expect(numbers).toEqual(Array.from({ length: number }, (_, index) => index + 1));
          expect(acknowledged).toHaveLength(number);
          expect(epochs).toHaveLength(1);
          expect(epochs[0]).toMatchObject({ report: { fault: null }, signed: true });
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('opening', () => {
  it('refuses a name that no event may carry', async () => {
    for (const instance of ['', 'Upper', 'a/b', '..', 'x'.repeat(64)]) {
      await expect(open(new ScriptedLog(), { instance })).rejects.toMatchObject({ code: 'config.invalid' });
    }
  });

  it('fails in bounded time where the log does not answer', async () => {
    const log = new ScriptedLog(Array.from({ length: 1_000 }, () => 'lost' as const));
    const begin = performance.now();
    await expect(open(log, { deadlineMilliseconds: 100 })).rejects.toMatchObject(unavailable);
    expect(performance.now() - begin).toBeLessThan(2_000);
  });

  it('succeeds although somebody wrote rubbish under its key, and then names no former head', async () => {
    const log = new ScriptedLog();
    await log.append('countersign.policy.v1', [
      { key: '/policy/one', value: Buffer.from('?'), signature: null },
    ]);
    const producer = await open(log);
    await producer.close();
    expect(parseEnvelope(log.stored[1]?.value ?? Buffer.alloc(0)).data).toMatchObject({ previous: null });
  });
});

/** A journal in memory that survives the producer, as an outbox does. */
class MemoryJournal implements ProducerJournal {
  noted: { id: string; record: EventRecord }[] = [];
  failing = false;

  async unacknowledged(): Promise<readonly EventRecord[]> {
    return this.noted.map(({ record }) => record);
  }

  async sealed(
    events: Parameters<ProducerJournal['sealed']>[0],
    records: readonly EventRecord[],
  ): Promise<void> {
    if (this.failing) throw new Error('The disk is full.');
    this.noted.push(
      ...events.map(({ envelope }, index) => ({ id: envelope.id, record: records[index] as EventRecord })),
    );
  }

  async acknowledged(events: Parameters<ProducerJournal['acknowledged']>[0]): Promise<void> {
    const ids = events.map(({ envelope }) => envelope.id);
    this.noted = this.noted.filter(({ id }) => !ids.includes(id));
  }
}

describe('a journal', () => {
  it('knows every event before the log does, and forgets what the log has', async () => {
    const log = new ScriptedLog();
    const journal = new MemoryJournal();
    const producer = await open(log, { journal });
    expect(journal.noted).toHaveLength(0);
    journal.failing = true;
    const waiting = producer.append([numbered(1)]);
    await delay(50);
    expect(log.stored).toHaveLength(1);
    journal.failing = false;
    await waiting;
    await producer.close();
    expect(journal.noted).toHaveLength(0);
    expect(deliver(log.stored)).toMatchObject({ numbers: [1], forks: 0 });
  });

  it('makes the next life send the same bytes in their old epoch before it opens its own', async () => {
    const log = new ScriptedLog();
    const journal = new MemoryJournal();
    const first = await open(log, { journal, deadlineMilliseconds: 50 });
    await first.append([numbered(1)]);
    // The producer dies while the log is away: nobody knows whether the second event got through.
    log.fates = ['done-but-rejected', ...Array.from({ length: 200 }, () => 'lost' as const)];
    await expect(first.append([numbered(2)])).rejects.toMatchObject(unavailable);
    await first.close();
    expect(journal.noted).toHaveLength(1);
    log.fates = [];
    const second = await open(log, { journal });
    await second.append([numbered(3)]);
    await second.close();
    const { epochs, numbers, copies, forks } = deliver(log.stored);
    expect({ numbers, copies, forks }).toEqual({ numbers: [1, 2, 3], copies: 1, forks: 0 });
    expect(epochs.map(({ report }) => report.fault)).toEqual([null, null]);
    expect(epochs[1]?.envelopes[0]?.data).toMatchObject({ previous: { epoch: epochs[0]?.epoch, seq: '2' } });
  });
});
