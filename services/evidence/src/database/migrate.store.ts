import { readdir, readFile } from 'node:fs/promises';
import type pg from 'pg';

/** Files of SQL at the package's root, run in the order of their names, each once. */
const folder = new URL('../../migrations/', import.meta.url);

/** Two instances that start at once migrate one after the other. The number is arbitrary and fixed. */
const lock = 7_203_513;

/** Brings the database to the newest schema. Safe to run at every start, and by several instances at once. */
export async function migrate(pool: pg.Pool): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [lock]);
    await client.query('create schema if not exists evidence');
    await client.query(
      'create table if not exists evidence.migrations (name text primary key, at timestamptz not null default now())',
    );
    const done = await client.query<{ name: string }>('select name from evidence.migrations');
    const known = new Set(done.rows.map(({ name }) => name));
    for (const name of names.filter((candidate) => !known.has(candidate))) {
      await client.query(await readFile(new URL(name, folder), 'utf8'));
      await client.query('insert into evidence.migrations (name) values ($1)', [name]);
    }
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}
