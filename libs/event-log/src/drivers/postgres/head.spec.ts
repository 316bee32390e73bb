import { type PostgresInstance, startPostgres } from '@countersign/testing';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import pg from 'pg';
import type { EventLog } from '../../event-log.js';
import { openPostgresEventLog } from './index.js';

let postgres: PostgresInstance;
let log: EventLog;

beforeAll(async () => {
  postgres = await startPostgres();
  log = await openPostgresEventLog(postgres.url());
});

afterAll(async () => {
  await log.close();
  await postgres.stop();
});

it('finds the newest record where transaction ids gain a digit', async () => {
  const client = new pg.Client({ connectionString: postgres.url() });
  await client.connect();
  const next = async () => Number((await client.query('SELECT pg_current_xact_id()::text AS id')).rows[0].id);
  const append = (text: string) =>
    log.append('countersign.policy.v1', [{ key: '/policy/p', value: Buffer.from(text), signature: null }]);
  const first = await next();
  const boundary = 10 ** String(first).length;
  while ((await next()) < boundary - 3);
  await append('before');
  while ((await next()) < boundary + 3);
  await append('after');
  await client.end();
  const head = await log.head('countersign.policy.v1', '/policy/p');
  expect(Buffer.from(head?.value ?? []).toString()).toBe('after');
}, 60_000);
