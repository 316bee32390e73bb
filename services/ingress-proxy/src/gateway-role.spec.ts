import { readFileSync } from 'node:fs';
import { type PostgresInstance, startPostgres } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';

interface Case {
  readonly name: string;
  readonly sql: string;
  /** One or more, divided by bars, where the server's build decides. */
  readonly sqlstate: string;
}

const root = new URL('..', import.meta.url);
const cases = JSON.parse(readFileSync(new URL('cases/gateway-role.json', root), 'utf8')) as readonly Case[];
const script = readFileSync(new URL('sql/gateway-role.sql', root), 'utf8');

async function makeRole(owner: pg.Client): Promise<void> {
  await owner.query(
    `SELECT set_config('countersign.role', 'countersign_gateway', false),
            set_config('countersign.password', 'gateway password', false),
            set_config('countersign.schemas', 'vetted', false)`,
  );
  await owner.query(script);
}

describe("the gateway's role speaking to the database directly", () => {
  let postgres: PostgresInstance;
  let owner: pg.Client;
  let gateway: pg.Client;

  beforeAll(async () => {
    postgres = await startPostgres();
    owner = new pg.Client(postgres.url());
    await owner.connect();
    await owner.query(`
      CREATE ROLE bystander LOGIN;
      CREATE SCHEMA vetted;
      CREATE SCHEMA secret;
      CREATE TYPE vetted.kind AS ENUM ('a');
      CREATE TABLE vetted.thing (id bigserial PRIMARY KEY, name text);
      CREATE TABLE secret.thing (id int);
      CREATE MATERIALIZED VIEW vetted.summary AS SELECT count(*) AS things FROM vetted.thing;
      CREATE FUNCTION vetted.as_owner() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM secret.thing';
      SELECT lo_create(1);
    `);
    await makeRole(owner);
    gateway = new pg.Client({
      host: postgres.host,
      port: postgres.port,
      user: 'countersign_gateway',
      password: 'gateway password',
      database: owner.database ?? 'postgres',
    });
    await gateway.connect();
  });

  afterAll(async () => {
    await gateway?.end();
    await owner?.end();
    await postgres?.stop();
  });

  it.each(cases)('cannot $name', async ({ sql, sqlstate }) => {
    const outcome = await gateway.query(sql).then(
      () => 'it worked',
      (error: { readonly code?: string }) => error.code ?? String(error),
    );
    expect(sqlstate.split('|')).toContain(outcome);
  });

  it('can read and write rows in the vetted schema', async () => {
    await gateway.query("INSERT INTO thing (name) VALUES ('a'), ('b')");
    await gateway.query("UPDATE thing SET name = 'c' WHERE name = 'b'");
    const deleted = await gateway.query("DELETE FROM thing WHERE name = 'a'");
    const { rows } = await gateway.query('SELECT name FROM thing');
    expect([deleted.rowCount, rows]).toEqual([1, [{ name: 'c' }]]);
  });

  it('has no attribute and no membership', async () => {
    const { rows } = await owner.query(
      `SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication, rolinherit,
              (SELECT count(*)::int FROM pg_auth_members WHERE member = r.oid) AS memberships
         FROM pg_roles r WHERE rolname = 'countersign_gateway'`,
    );
    expect(rows).toEqual([
      {
        rolsuper: false,
        rolbypassrls: false,
        rolcreatedb: false,
        rolcreaterole: false,
        rolreplication: false,
        rolinherit: false,
        memberships: 0,
      },
    ]);
  });

  it('loses what it was given meanwhile when the script runs again', async () => {
    await owner.query(
      'GRANT bystander TO countersign_gateway; GRANT CREATE ON SCHEMA vetted TO countersign_gateway',
    );
    await makeRole(owner);
    await expect(gateway.query('SET ROLE bystander')).rejects.toMatchObject({ code: '42501' });
    await expect(gateway.query('CREATE TABLE vetted.t (a int)')).rejects.toMatchObject({ code: '42501' });
  });

  it('leaves other roles what they could do', async () => {
    await owner.query('SET ROLE bystander; CREATE TEMP TABLE kept (a int); SELECT lo_create(0); RESET ROLE');
  });
});
