import { type PostgresInstance, startPostgres } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { migrateSchema } from './index.js';

const steps = [
  { id: 1, sql: 'CREATE TABLE things.thing (id integer PRIMARY KEY)' },
  { id: 2, sql: 'ALTER TABLE things.thing ADD COLUMN name text; INSERT INTO things.thing VALUES (1)' },
];

let postgres: PostgresInstance;
let client: pg.Client;

beforeAll(async () => {
  postgres = await startPostgres();
  client = new pg.Client({ connectionString: postgres.url() });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await postgres.stop();
});

const migrate = (migrations: typeof steps) =>
  migrateSchema({ url: postgres.url(), schema: 'things', migrations });
const things = async () => (await client.query('SELECT * FROM things.thing')).rows;

describe('migrating a schema', () => {
  it('applies each step once, by however many instances at once', async () => {
    await Promise.all([migrate(steps), migrate(steps), migrate(steps)]);
    await migrate(steps);
    expect(await things()).toEqual([{ id: 1, name: null }]);
  });

  it('goes on from where a former version stopped', async () => {
    await migrate([...steps, { id: 3, sql: "UPDATE things.thing SET name = 'third'" }]);
    expect(await things()).toEqual([{ id: 1, name: 'third' }]);
  });

  it('leaves nothing of steps behind when one fails', async () => {
    const broken = [
      { id: 4, sql: "UPDATE things.thing SET name = 'fourth'" },
      { id: 5, sql: 'SELECT * FROM nowhere' },
    ];
    await expect(migrate([...steps, { id: 3, sql: '' }, ...broken])).rejects.toThrow('nowhere');
    expect(await things()).toEqual([{ id: 1, name: 'third' }]);
  });
});
