import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type EventLog, openEventLog, type StoredRecord } from '@countersign/event-log';
import {
  type FaultyProxy,
  type PostgresInstance,
  startFaultyProxy,
  startPostgres,
  waitUntil,
} from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { InstanceIdentity } from '../authority/index.js';
import { type Delivered, deliver } from '../fixtures/delivered.js';
import { deployment } from '../fixtures/deployment.js';
import { numbered } from '../fixtures/drafts.js';
import { openProducer, type Producer } from './index.js';

const topic = 'countersign.policy.v1';
let postgres: PostgresInstance;
let proxy: FaultyProxy;
let log: EventLog;

beforeAll(async () => {
  postgres = await startPostgres();
  proxy = await startFaultyProxy(postgres);
  log = await openEventLog(postgres.url());
});
afterAll(async () => {
  await log.close();
  await proxy.close();
  await postgres.stop();
});

/** All that a producer ever said, up to its head. */
async function deliveredOf(key: string): Promise<Delivered> {
  const head = await log.head(topic, key);
  const records: StoredRecord[] = [];
  const stop = new AbortController();
  await log.subscribe({
    topics: [topic],
    from: new Map(),
    signal: stop.signal,
    onBatch: async (batch) => {
      records.push(...batch.filter((record) => record.key === key));
      if (records.at(-1)?.position === head?.position) stop.abort();
    },
  });
  return deliver(records);
}

function expectWhole(delivered: Delivered, acknowledged: Iterable<number>): void {
  expect(delivered.forks).toBe(0);
  for (const { report, signed } of delivered.epochs) {
    expect(report.fault).toBeNull();
    expect(signed).toBe(true);
  }
  const numbers = new Set(delivered.numbers);
  expect(numbers.size).toBe(delivered.numbers.length);
  expect([...acknowledged].filter((number) => !numbers.has(number))).toEqual([]);
}

/** Appends from several callers until told to stop; never gives a number twice. */
function produce(producer: Producer): { acknowledged: number[]; refused: number[]; stop(): Promise<void> } {
  const acknowledged: number[] = [];
  const refused: number[] = [];
  let number = 0;
  let stopped = false;
  const caller = async (): Promise<void> => {
    while (!stopped) {
      const own = number;
      number += 1;
      await producer.append([numbered(own)]).then(
        () => acknowledged.push(own),
        async () => {
          refused.push(own);
          await delay(5);
        },
      );
    }
  };
  const callers = Promise.all(Array.from({ length: 4 }, caller));
  return {
    acknowledged,
    refused,
    stop: async () => {
      stopped = true;
      await callers;
    },
  };
}

describe('a producer', () => {
  it('loses and doubles nothing when PostgreSQL is killed amid its appends, and recovers by itself', async () => {
    const { identity } = await deployment('policy', 'amid');
    const producer = await openProducer({
      log,
      service: 'policy',
      instance: 'amid',
      identity,
      // Longer than any of the outages, however slow the machine: nobody is refused.
      deadlineMilliseconds: 20_000,
    });
    const work = produce(producer);
    for (let round = 0; round < 3; round += 1) {
      await delay(60 + 31 * round);
      await postgres.kill();
      await delay(20 * round);
      await postgres.restart();
      const before = work.acknowledged.length;
      await waitUntil(() => work.acknowledged.length > before, { timeout: 20_000 });
    }
    await work.stop();
    await producer.close();
    expect(work.refused).toEqual([]);
    const delivered = await deliveredOf('/policy/amid');
    expectWhole(delivered, work.acknowledged);
    expect(delivered.epochs).toHaveLength(1);
    expect(delivered.numbers).toHaveLength(work.acknowledged.length);
  }, 60_000);

  it('keeps its chain where answers are lost, and counts what it refused', async () => {
    const { identity } = await deployment('policy', 'cut');
    const through = await openEventLog(postgres.url().replace(`:${postgres.port}/`, `:${proxy.port}/`));
    const producer = await openProducer({
      log: through,
      service: 'policy',
      instance: 'cut',
      identity,
      deadlineMilliseconds: 300,
    });
    const work = produce(producer);
    for (let round = 0; round < 6; round += 1) {
      await delay(40);
      // What is sent now happens, and its acknowledgement is lost.
      proxy.swallowAnswers();
      await delay(30 + 80 * round);
      proxy.cut();
      proxy.pass();
      const before = work.acknowledged.length;
      await waitUntil(() => work.acknowledged.length > before, { timeout: 20_000 });
    }
    await work.stop();
    await producer.close();
    await through.close();
    const delivered = await deliveredOf('/policy/cut');
    expectWhole(delivered, work.acknowledged);
    expect(delivered.copies).toBeGreaterThan(0);
    const counted = delivered.epochs
      .flatMap(({ envelopes }) => envelopes)
      .filter(({ type }) => type === 'countersign.recording.resumed.v1')
      .reduce((sum, { data }) => sum + (data as { refusals: number }).refusals, 0);
    // What was sealed when its caller gave up is recorded instead of counted: nothing is neither.
    const recorded = new Set(delivered.numbers);
    expect(counted).toBe(work.refused.filter((number) => !recorded.has(number)).length);
    expect(work.refused.length).toBeGreaterThan(0);
  }, 60_000);

  it('may be killed at any instant: what it acknowledged is there, and its next life goes on from there', async () => {
    const { identity } = await deployment('policy', 'killed');
    const acknowledged: number[] = [];
    for (let life = 0; life < 3; life += 1) {
      acknowledged.push(...(await liveAndDie(identity, life * 1_000_000, 80 + life * 57)));
    }
    const delivered = await deliveredOf('/policy/killed');
    expectWhole(delivered, acknowledged);
    expect(acknowledged.length).toBeGreaterThan(20);
    expect(delivered.epochs).toHaveLength(3);
    for (const [index, { envelopes }] of delivered.epochs.entries()) {
      const before = delivered.epochs[index - 1];
      const previous =
        before === undefined
          ? null
          : { epoch: before.epoch, seq: before.envelopes.at(-1)?.seq, hash: expect.any(String) };
      expect(envelopes[0]?.data).toMatchObject({ previous });
    }
  }, 60_000);
});

/** Runs a producer as a process, kills it with SIGKILL, and returns what it had told to be acknowledged. */
async function liveAndDie(
  identity: InstanceIdentity,
  first: number,
  milliseconds: number,
): Promise<number[]> {
  const main = fileURLToPath(new URL('../fixtures/producing.main.js', import.meta.url));
  const child = spawn(
    process.execPath,
    [main, postgres.url(), identity.certificatePem, identity.privateKeyPem, String(first)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const exited = once(child, 'close');
  await waitUntil(() => lines.includes('ready'), { timeout: 20_000 });
  await delay(milliseconds);
  child.kill('SIGKILL');
  await exited;
  return lines.filter((line) => /^\d+$/.test(line)).map(Number);
}
