import { setTimeout as delay } from 'node:timers/promises';
import { type AgentPart, cast, type Deployment, targetName } from '@countersign/deploy';
import { CountersignError, catalogue, isErrorCode } from '@countersign/errors';
import pg from 'pg';

/** How one thing that an agent asked for came to its end. */
export interface Ending {
  readonly what: string;
  /**
   * `lost`: the connection broke without a word; `hung`: nothing came in time; `odd`: an answer that no catalogue knows.
   */
  readonly kind: 'rows' | 'refused' | 'lost' | 'hung' | 'odd';
  /** Code of the catalogue for a refusal; otherwise what is known. */
  readonly code: string;
  readonly sqlstate: string;
  readonly message: string;
  readonly milliseconds: number;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** Whether the connection ends with it. */
  readonly fatal: boolean;
}

/** Longest time in which anything that an agent asks must come to its end. */
export const patienceMilliseconds = 20_000;

/** Whether an answer is an error that the catalogue knows: the code, and its SQLSTATE unless it is the target's own. */
function isCatalogued({ routine = '', code = '' }: pg.DatabaseError): boolean {
  if (!isErrorCode(routine)) return false;
  return routine === 'target.failed' ? /^[0-9A-Z]{5}$/.test(code) : catalogue[routine].sqlstate === code;
}

/** Waits for `work`, and tells how it ended. Never throws. */
export async function endingOf(
  what: string,
  work: Promise<{ readonly rows?: readonly unknown[] }>,
): Promise<Ending> {
  const began = performance.now();
  const ended = (kind: Ending['kind'], more: Partial<Ending>): Ending => ({
    what,
    kind,
    code: '',
    sqlstate: '',
    message: '',
    rows: [],
    fatal: false,
    milliseconds: performance.now() - began,
    ...more,
  });
  const timer = new AbortController();
  const late = delay(patienceMilliseconds, undefined, { signal: timer.signal, ref: false }).then(() =>
    ended('hung', {}),
  );
  late.catch(() => undefined);
  const done = work.then(
    ({ rows = [] }) => ended('rows', { rows: rows as Ending['rows'] }),
    (error: unknown) => {
      if (error instanceof pg.DatabaseError) {
        const { routine = '', code = '', message } = error;
        const kind = isCatalogued(error) ? 'refused' : 'odd';
        return ended(kind, { code: routine, sqlstate: code, message, fatal: error.severity === 'FATAL' });
      }
      if (error instanceof CountersignError)
        return ended('refused', { code: error.code, message: error.message });
      return ended('lost', { message: String(error), fatal: true });
    },
  );
  const ending = await Promise.race([done, late]);
  timer.abort();
  return ending;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** A stock client that is not connected yet. What the server says beside answers is not an error of the test. */
export function clientOf(deployment: Deployment, credentials: Partial<Credentials> = {}): pg.Client {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: deployment.ports.ingress,
    database: targetName,
    user: cast.analyst.id,
    password: '',
    ...credentials,
  });
  client.on('error', () => undefined);
  return client;
}

/** Reads, once a client is connected, the session that the gateway pinned its `application_name` to. */
export function sessionOf(client: pg.Client): () => string {
  let session = '';
  client.connection.on('parameterStatus', (status: { parameterName: string; parameterValue: string }) => {
    if (status.parameterName === 'application_name')
      session = status.parameterValue.replace('countersign/', '');
  });
  return () => session;
}

/** Connects as an agent of the cast, with a fresh token. */
export async function connectAs(deployment: Deployment, part: AgentPart): Promise<pg.Client> {
  const password = await deployment.people.sessionToken(part);
  const client = clientOf(deployment, { user: cast[part].id, password });
  await client.connect();
  return client;
}
