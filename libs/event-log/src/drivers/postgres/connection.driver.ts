import { Socket } from 'node:net';
import { CountersignError } from '@countersign/errors';
import pg from 'pg';

export interface ConnectionOptions {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  /** Milliseconds after which the server, and a second later the client, gives up a statement. */
  readonly statementTimeout: number;
  /** More settings, fixed for the connection. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Milliseconds for reaching the server and logging in. */
export const CONNECT_TIMEOUT = 3_000;

/** One connection that knows when it is dead, and that can be dropped without waiting for the other side. */
export interface Connection {
  readonly client: pg.Client;
  readonly isDead: boolean;
  /** Drops the connection at once, whatever it is doing. */
  discard(): void;
  /** Says goodbye, in bounded time. */
  end(): Promise<void>;
}

/** Only this driver decides what its connections do: what a URL says of it is left out. */
function withoutOverrides(url: string): string {
  const parsed = new URL(url);
  for (const name of ['options', 'application_name', 'fallback_application_name', 'statement_timeout']) {
    parsed.searchParams.delete(name);
  }
  return parsed.href;
}

/** Errors: `recording.unavailable`. */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const settings = {
    statement_timeout: String(options.statementTimeout),
    lock_timeout: String(options.statementTimeout),
    idle_in_transaction_session_timeout: '10000',
    client_min_messages: 'error',
    bytea_output: 'hex',
    timezone: 'UTC',
    search_path: 'pg_catalog',
    ...options.settings,
  };
  const socket = new Socket();
  const client = new pg.Client({
    connectionString: withoutOverrides(options.url),
    application_name: options.name,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    query_timeout: options.statementTimeout + 1_000,
    keepAlive: true,
    stream: () => socket,
    options: Object.entries(settings)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
  });
  let dead = false;
  const die = (): void => {
    dead = true;
  };
  client.on('error', die);
  client.on('end', die);
  const discard = (): void => {
    dead = true;
    socket.destroy();
  };
  try {
    await client.connect();
  } catch (cause) {
    discard();
    throw unavailable(cause);
  }
  return {
    client,
    get isDead() {
      return dead;
    },
    discard,
    end: async () => {
      const timer = setTimeout(discard, 2_000);
      await client.end().catch(() => undefined);
      clearTimeout(timer);
      dead = true;
    },
  };
}

/** Whether the server answered, and will answer again: an ordinary SQL error. */
export function survives(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity === 'ERROR';
}

/** The catalogued form of whatever a connection threw. */
export function unavailable(cause: unknown): CountersignError {
  if (cause instanceof CountersignError) return cause;
  return new CountersignError('recording.unavailable', { cause });
}
