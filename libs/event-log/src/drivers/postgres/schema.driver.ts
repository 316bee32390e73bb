import { CountersignError } from '@countersign/errors';
import pg from 'pg';
import { type Connection, openConnection, unavailable } from './connection.driver.js';

// Append only, in order of (xid, ordinal): see reading.driver.ts for why this order loses nothing. xid is the
// transaction that appends, and no role but the owner may set it.
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE event_log.record (
     topic text COLLATE "C" NOT NULL,
     xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
     ordinal integer NOT NULL,
     key text COLLATE "C" NOT NULL,
     value bytea NOT NULL CHECK (octet_length(value) BETWEEN 1 AND 65535),
     signature bytea CHECK (octet_length(signature) <= 1024),
     PRIMARY KEY (topic, xid, ordinal)
   );
   CREATE INDEX record_by_key ON event_log.record (topic, key, xid, ordinal);
   REVOKE ALL ON event_log.record FROM PUBLIC`,
];

// Any number that no other program uses for advisory locks in this database.
const LOCK = '7310583213487';

export interface EventLogRoles {
  /** Roles that may append and read. */
  readonly append?: readonly string[];
  /** Roles that may read. */
  readonly read?: readonly string[];
}

async function currentVersion(client: pg.Client): Promise<number | null> {
  // Read from the table, not by to_regclass, which may answer from before the lock that migrations take.
  const { rows } = await client.query<{ found: boolean }>(
    `SELECT EXISTS (
       SELECT FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
       WHERE nspname = 'event_log' AND relname = 'migration'
     ) AS found`,
  );
  if (rows[0]?.found !== true) return null;
  const versions = await client.query<{ version: number | null }>(
    'SELECT max(version) AS version FROM event_log.migration',
  );
  return versions.rows[0]?.version ?? 0;
}

async function migrate(client: pg.Client): Promise<void> {
  await client.query('BEGIN');
  try {
    // Many services start at once: the first migrates, the others wait and find it done.
    await client.query('SELECT pg_advisory_xact_lock($1::bigint)', [LOCK]);
    if ((await currentVersion(client)) === null) {
      await client.query(
        `CREATE SCHEMA IF NOT EXISTS event_log;
         CREATE TABLE event_log.migration (
           version integer PRIMARY KEY,
           applied_at timestamptz NOT NULL DEFAULT now()
         )`,
      );
    }
    const done = (await currentVersion(client)) ?? 0;
    for (const [index, statements] of MIGRATIONS.entries()) {
      if (index < done) continue;
      await client.query(statements);
      await client.query('INSERT INTO event_log.migration (version) VALUES ($1)', [index + 1]);
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Brings the schema up to date where it is not. Errors: `config.invalid` where the role may not, or it is newer. */
export async function ensureSchema({ client }: Connection): Promise<void> {
  try {
    const version = await currentVersion(client);
    if (version === MIGRATIONS.length) return;
    if (version !== null && version > MIGRATIONS.length) {
      throw new CountersignError('config.invalid', {
        detail: 'The schema of the event log is of a newer version than this program.',
      });
    }
    await migrate(client);
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === '42501') {
      throw new CountersignError('config.invalid', {
        detail: 'The schema of the event log is not there for this role, and the role may not create it.',
        next: 'Create it with a role that owns it, and grant this role appending or reading.',
        cause: error,
      });
    }
    throw unavailable(error);
  }
}

/**
 * Creates or upgrades the schema as its owner, and lets other roles append or only read. None of them may change or
 * delete a record, or choose its place in the order.
 */
export async function createEventLogSchema(url: string, roles: EventLogRoles = {}): Promise<void> {
  const connection = await openConnection({
    url,
    name: 'countersign-event-log-schema',
    statementTimeout: 30_000,
  });
  try {
    await ensureSchema(connection);
    const { client } = connection;
    const append = (roles.append ?? []).map((role) => client.escapeIdentifier(role)).join(', ');
    const read = [...(roles.append ?? []), ...(roles.read ?? [])]
      .map((role) => client.escapeIdentifier(role))
      .join(', ');
    if (read !== '') {
      await client.query(`GRANT USAGE ON SCHEMA event_log TO ${read}`);
      await client.query(`GRANT SELECT ON event_log.record, event_log.migration TO ${read}`);
    }
    if (append !== '') {
      await client.query(
        `GRANT INSERT (topic, ordinal, key, value, signature) ON event_log.record TO ${append}`,
      );
    }
  } catch (error) {
    throw unavailable(error);
  } finally {
    await connection.end();
  }
}
