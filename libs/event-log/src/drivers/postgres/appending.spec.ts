import {
  type FaultyProxy,
  type PostgresInstance,
  startFaultyProxy,
  startPostgres,
  waitUntil,
} from '@countersign/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { appendSurely, newTopic, Reader, record, textOf } from '../../contract/index.js';
import type { EventLog } from '../../event-log.js';
import { openPostgresEventLog } from './index.js';

const unavailable = { code: 'recording.unavailable' };

let postgres: PostgresInstance;
let proxy: FaultyProxy;
const logs: EventLog[] = [];

async function open(url: string, appendTimeout = 300): Promise<EventLog> {
  const log = await openPostgresEventLog(url, { appendTimeout });
  logs.push(log);
  return log;
}

const throughProxy = (): string => postgres.url().replace(`:${postgres.port}/`, `:${proxy.port}/`);

async function ask(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: postgres.url() });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text, values)).rows;
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  postgres = await startPostgres();
  proxy = await startFaultyProxy(postgres);
});
afterEach(async () => {
  for (const log of logs.splice(0)) await log.close();
  proxy.pass();
});
afterAll(async () => {
  await proxy.close();
  await postgres.stop();
});

describe('appends to the PostgreSQL event log', () => {
  it('whose answers are lost reject, may be there, and are there once for readers when sent again', async () => {
    const log = await open(throughProxy());
    const topic = newTopic();
    await log.append(topic, [record('/a/1', '0')]);
    const expected = ['0'];
    for (let cut = 1; cut <= 3; cut += 1) {
      proxy.swallowAnswers();
      const lost = log.append(topic, [record('/a/1', String(cut))]);
      await expect(lost).rejects.toMatchObject(unavailable);
      proxy.pass();
      const head = await (await open(postgres.url())).head(topic, '/a/1');
      expect(head === null ? null : textOf(head)).toBe(String(cut));
      await appendSurely(log, topic, [record('/a/1', String(cut))]);
      expected.push(String(cut));
    }
    const [stored] = await ask('SELECT count(*)::int AS copies FROM event_log.record WHERE topic = $1', [
      topic,
    ]);
    expect(stored?.copies).toBe(7);
    const reader = await new Reader(await open(postgres.url()), [topic]).start().until(4);
    await reader.stop();
    expect(reader.texts()).toEqual(expected);
  }, 60_000);

  it('end in bounded time where the network is gone, and those that wait behind them', async () => {
    const log = await open(throughProxy());
    const topic = newTopic();
    await log.append(topic, [record('/a/1', '0')]);
    proxy.stall();
    const begin = performance.now();
    const appends = ['1', '2', '3'].map((text) => log.append(topic, [record('/a/1', text)]));
    for (const append of appends) await expect(append).rejects.toMatchObject(unavailable);
    // A statement given up, and an attempt to connect.
    expect(performance.now() - begin).toBeLessThan(300 + 1_000 + 3_000 + 2_000);
    proxy.pass();
    await appendSurely(log, topic, [record('/a/1', '4')]);
  }, 30_000);

  it('leave no statement of an abandoned connection behind that would land later', async () => {
    const log = await open(throughProxy(), 5_000);
    const topic = newTopic();
    await log.append(topic, [record('/a/1', '0')]);
    // The statement waits for a lock when its connection breaks, and the server does not notice.
    const blocker = new pg.Client({ connectionString: postgres.url() });
    await blocker.connect();
    await blocker.query('BEGIN; LOCK TABLE event_log.record IN EXCLUSIVE MODE');
    const lost = log.append(topic, [record('/a/1', '1')]);
    const waits = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'`;
    await waitUntil(async () => (await ask(waits)).length === 1);
    proxy.cut();
    await expect(lost).rejects.toMatchObject(unavailable);
    const again = appendSurely(log, topic, [record('/a/1', '1'), record('/a/1', '2')]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await blocker.query('COMMIT');
    await blocker.end();
    await again;
    const rows = await ask('SELECT value FROM event_log.record WHERE topic = $1 ORDER BY xid, ordinal', [
      topic,
    ]);
    expect(rows.map(({ value }) => String(value))).toEqual(['0', '1', '2']);
  }, 30_000);

  it('are durable before they resolve, whatever the role, the database or the URL say', async () => {
    const log = await open(postgres.url());
    await ask(`CREATE FUNCTION demand_durability() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF current_setting('synchronous_commit') <> 'on' THEN RAISE 'not durable'; END IF;
        RETURN NULL;
      END $$`);
    await ask(`CREATE TRIGGER demand AFTER INSERT ON event_log.record
      FOR EACH STATEMENT EXECUTE FUNCTION demand_durability()`);
    await ask('ALTER ROLE postgres SET synchronous_commit = off');
    await ask('ALTER DATABASE postgres SET synchronous_commit = off');
    try {
      await log.append(newTopic(), [record('/a/1', '0')]);
      const hostile = `${postgres.url()}?options=${encodeURIComponent('-c synchronous_commit=off')}`;
      const other = await open(hostile);
      await other.append(newTopic(), [record('/a/1', '0')]);
      await expect(
        ask(`INSERT INTO event_log.record (topic, ordinal, key, value) VALUES ('t', 0, 'k', 'v')`),
      ).rejects.toThrow('not durable');
    } finally {
      await ask('ALTER ROLE postgres RESET synchronous_commit');
      await ask('ALTER DATABASE postgres RESET synchronous_commit');
      await ask('DROP TRIGGER demand ON event_log.record');
    }
  });

  it('go on with the same connection after an error of the server', async () => {
    const log = await open(postgres.url());
    const topic = newTopic();
    await ask(`ALTER TABLE event_log.record ADD CONSTRAINT no_poison CHECK (value <> 'poison') NOT VALID`);
    await expect(log.append(topic, [record('/a/1', 'poison')])).rejects.toMatchObject(unavailable);
    await ask('ALTER TABLE event_log.record DROP CONSTRAINT no_poison');
    await log.append(topic, [record('/a/1', 'fine')]);
    expect(await log.head(topic, '/a/1')).not.toBeNull();
  });

  it('share a statement, and so a flush, when they come together', async () => {
    const log = await open(postgres.url());
    const topic = newTopic();
    await Promise.all(
      Array.from({ length: 100 }, (_, number) => log.append(topic, [record('/a/1', String(number))])),
    );
    const [row] = await ask('SELECT count(DISTINCT xid)::int AS n FROM event_log.record WHERE topic = $1', [
      topic,
    ]);
    expect(row?.n).toBeLessThanOrEqual(2);
  });
});
