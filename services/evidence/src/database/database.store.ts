import pg from 'pg';

/** How long a statement of the API may take, milliseconds; exports set their own. */
const statementTimeout = 30_000;

export interface DatabaseOptions {
  readonly url: string;
  readonly connections?: number;
  /** Errors of idle connections, which nobody awaits. */
  readonly onIdleError: (error: Error) => void;
}

/** A pool of connections to evidence's own database. */
export function openDatabase({ url, connections = 8, onIdleError }: DatabaseOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    application_name: 'countersign-evidence',
    connectionTimeoutMillis: 5000,
    statement_timeout: statementTimeout,
    keepAlive: true,
  });
  // Without a listener a server's restart would end the process.
  pool.on('error', onIdleError);
  return pool;
}

/** Runs work in one transaction; any error rolls it back. A connection that cannot roll back is thrown away. */
export async function transaction<Result>(
  pool: pg.Pool,
  mode: 'read write' | 'isolation level repeatable read, read only',
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A connection that breaks while nothing is asked of it emits this.
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  try {
    await client.query(`begin ${mode}`);
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

export type { Pool, PoolClient } from 'pg';
