import { setTimeout as delay } from 'node:timers/promises';
import { type PostgresInstance, startPostgres, waitUntil } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { newTopic, Reader, record } from '../../contract/index.js';
import type { EventLog } from '../../event-log.js';
import { openPostgresEventLog } from './index.js';

let postgres: PostgresInstance;
let log: EventLog;
const clients: pg.Client[] = [];

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: postgres.url() });
  client.on('error', () => undefined);
  await client.connect();
  clients.push(client);
  return client;
}

const insert = (client: pg.Client, topic: string, text: string) =>
  client.query('INSERT INTO event_log.record (topic, ordinal, key, value) VALUES ($1, 0, $2, $3)', [
    topic,
    '/raw/1',
    Buffer.from(text),
  ]);

beforeAll(async () => {
  postgres = await startPostgres();
  log = await openPostgresEventLog(postgres.url());
});
afterAll(async () => {
  for (const client of clients) await client.end().catch(() => undefined);
  await log.close();
  await postgres.stop();
});

describe('readers of the PostgreSQL event log', () => {
  it('wait for a transaction that began before and commits late, instead of skipping it', async () => {
    const topic = newTopic();
    const slow = await connect();
    await log.append(topic, [record('/a/1', 'before')]);
    const reader = await new Reader(log, [topic]).start().until(1);
    await slow.query('BEGIN');
    await insert(slow, topic, 'late');
    // Acknowledged, and behind the open transaction in the order of the log.
    await log.append(topic, [record('/a/1', 'after')]);
    await delay(700);
    expect(reader.texts()).toEqual(['before']);
    await slow.query('COMMIT');
    await reader.until(3);
    await reader.stop();
    expect(reader.texts()).toEqual(['before', 'late', 'after']);
  });

  it('go on when such a transaction is rolled back or its client dies', async () => {
    const topic = newTopic();
    for (const [index, end] of ['rollback', 'death'].entries()) {
      const slow = await connect();
      await slow.query('BEGIN');
      await insert(slow, topic, 'never');
      await log.append(topic, [record('/a/1', String(index))]);
      if (end === 'rollback') await slow.query('ROLLBACK');
      else await slow.end();
    }
    const reader = await new Reader(log, [topic]).start().until(2);
    await reader.stop();
    expect(reader.texts()).toEqual(['0', '1']);
  });

  it('look by themselves where a notification is lost', async () => {
    const topic = newTopic();
    const silent = await connect();
    const reader = new Reader(log, [topic]).start();
    await delay(600);
    await insert(silent, topic, 'silent');
    await reader.until(1, 3_000);
    await reader.stop();
  });

  it('are told of an append', async () => {
    const listener = await connect();
    let told = 0;
    listener.on('notification', () => {
      told += 1;
    });
    await listener.query('LISTEN countersign_event_log');
    await log.append(newTopic(), [record('/a/1', '1')]);
    await waitUntil(() => told > 0, { timeout: 3_000 });
  });

  it('go on when their connection is ended, and say that there was trouble', async () => {
    const topic = newTopic();
    const administrator = await connect();
    const stop = new AbortController();
    const texts: string[] = [];
    const troubles: Error[] = [];
    const reading = log.subscribe({
      topics: [topic],
      from: new Map(),
      signal: stop.signal,
      onBatch: async (batch) => {
        texts.push(...batch.map(({ value }) => Buffer.from(value).toString()));
      },
      onTrouble: (error) => troubles.push(error),
    });
    for (const text of ['1', '2', '3']) {
      await log.append(topic, [record('/a/1', text)]);
      await waitUntil(() => texts.includes(text));
      await administrator.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%-read'`,
      );
    }
    stop.abort();
    await reading;
    expect(texts).toEqual(['1', '2', '3']);
    expect(troubles.length).toBeGreaterThan(0);
  });

  it('refuse a log that came from a dump of another cluster, where the order would not hold', async () => {
    const topic = newTopic();
    const administrator = await connect();
    await administrator.query(
      `INSERT INTO event_log.record (topic, xid, ordinal, key, value) VALUES ($1, '4000000000', 0, '/a/1', 'x')`,
      [topic],
    );
    const reading = log.subscribe({
      topics: [topic],
      from: new Map(),
      signal: new AbortController().signal,
      onBatch: async () => undefined,
    });
    await expect(reading).rejects.toMatchObject({ code: 'config.invalid' });
  });

  it('wait for the appends that run when they ask for a head', async () => {
    const topic = newTopic();
    const slow = await connect();
    await slow.query('BEGIN');
    await insert(slow, topic, 'in flight');
    const asked = log.head(topic, '/raw/1');
    await delay(100);
    await slow.query('COMMIT');
    const head = await asked;
    expect(Buffer.from(head?.value ?? []).toString()).toBe('in flight');
  });

  it('get a head in bounded time where a transaction never ends', async () => {
    const topic = newTopic();
    await log.append(topic, [record('/a/1', '1')]);
    const stuck = await connect();
    await stuck.query('BEGIN');
    await insert(stuck, newTopic(), 'stuck');
    const begin = performance.now();
    expect(await log.head(topic, '/a/1')).not.toBeNull();
    expect(performance.now() - begin).toBeLessThan(4_000);
    await stuck.query('ROLLBACK');
  });
});
