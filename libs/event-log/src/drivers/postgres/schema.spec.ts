import { type PostgresInstance, startPostgres } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { newTopic, Reader, record } from '../../contract/index.js';
import { createEventLogSchema, openEventLog } from '../../index.js';

const invalid = { code: 'config.invalid' };
let postgres: PostgresInstance;
let databases = 0;

async function run(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

async function newDatabase(): Promise<{ name: string; url: string }> {
  databases += 1;
  const name = `log${databases}`;
  await run(postgres.url(), `CREATE DATABASE ${name}`);
  return { name, url: postgres.url(name) };
}

const asRole = (url: string, role: string): string => {
  const parsed = new URL(url);
  parsed.username = role;
  parsed.password = 'role-of-a-test';
  return parsed.href;
};

beforeAll(async () => {
  postgres = await startPostgres();
  const login = `LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD 'role-of-a-test'`;
  await run(postgres.url(), `CREATE ROLE appender ${login}`, `CREATE ROLE reader ${login}`);
});
afterAll(() => postgres.stop());

describe('the schema of the event log', () => {
  it('is made once when many open at the same time', async () => {
    const { url } = await newDatabase();
    const topic = newTopic();
    const logs = await Promise.all(Array.from({ length: 8 }, () => openEventLog(url)));
    await Promise.all(logs.map((log, index) => log.append(topic, [record('/a/1', String(index))])));
    await Promise.all(logs.map((log) => log.close()));
  });

  it('is kept when it is there', async () => {
    const { url } = await newDatabase();
    const topic = newTopic();
    const first = await openEventLog(url);
    await first.append(topic, [record('/a/1', '1')]);
    await first.close();
    await createEventLogSchema(url);
    const second = await openEventLog(url);
    expect(await second.head(topic, '/a/1')).not.toBeNull();
    await second.close();
  });

  it('of a newer version is refused', async () => {
    const { url } = await newDatabase();
    await createEventLogSchema(url);
    await run(url, 'INSERT INTO event_log.migration (version) VALUES (99)');
    await expect(openEventLog(url)).rejects.toMatchObject(invalid);
  });

  it('is not made by a role that may not, and the error says so', async () => {
    const { url } = await newDatabase();
    await expect(openEventLog(asRole(url, 'appender'))).rejects.toMatchObject(invalid);
  });

  it('lets a role append and read, and nothing else', async () => {
    const { url } = await newDatabase();
    await createEventLogSchema(url, { append: ['appender'], read: ['reader'] });
    const topic = newTopic();
    const own = asRole(url, 'appender');
    const log = await openEventLog(own);
    await log.append(topic, [record('/a/1', '1')]);
    const reader = await new Reader(log, [topic]).start().until(1);
    await reader.stop();
    await log.close();
    for (const forbidden of [
      `UPDATE event_log.record SET value = 'x'`,
      'DELETE FROM event_log.record',
      'TRUNCATE event_log.record',
      'DROP TABLE event_log.record',
      `ALTER TABLE event_log.record DISABLE TRIGGER ALL`,
      'CREATE TABLE event_log.other ()',
      // To choose a place in the order would be to hide behind what readers have passed.
      `INSERT INTO event_log.record (topic, xid, ordinal, key, value) VALUES ('t', '3', 0, 'k', 'v')`,
      'INSERT INTO event_log.migration (version) VALUES (2)',
    ]) {
      await expect(run(own, forbidden)).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('lets another role only read', async () => {
    const { url } = await newDatabase();
    await createEventLogSchema(url, { append: ['appender'], read: ['reader'] });
    const log = await openEventLog(asRole(url, 'reader'));
    await expect(log.append(newTopic(), [record('/a/1', '1')])).rejects.toMatchObject({
      code: 'recording.unavailable',
    });
    expect(await log.head(newTopic(), '/a/1')).toBeNull();
    await log.close();
  });
});

describe('openEventLog', () => {
  it.each(['', 'mysql://localhost/x', 'postgres://[', 'kafka:'])('refuses the URL %j', async (url) => {
    await expect(openEventLog(url)).rejects.toMatchObject(invalid);
  });

  it('fails in bounded time, and without the password, where nobody answers', async () => {
    const url = 'postgres://somebody:secret-of-a-test@127.0.0.1:9/none';
    const error: unknown = await openEventLog(url).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'recording.unavailable' });
    expect(String((error as Error).message)).not.toContain('secret-of-a-test');
  });
});
