import { advisoryLocks, type Database } from '../storage/index.js';

/** The right to write this service's chain, held by one connection. */
export interface RelayLock {
  /** Aborted when the connection, and with it the lock, is gone. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** The lock, or null while another instance holds it. Rejects where the database cannot be reached. */
export async function takeRelayLock(database: Database): Promise<RelayLock | null> {
  const client = database.dedicated();
  const lost = new AbortController();
  client.on('error', () => lost.abort());
  client.once('end', () => lost.abort());
  await client.connect();
  try {
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [
      advisoryLocks.relay,
    ]);
    if (rows[0]?.taken === true) {
      return { lost: lost.signal, release: () => client.end().catch(() => undefined) };
    }
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  await client.end().catch(() => undefined);
  return null;
}
