import { CountersignError, isErrorCode } from '@countersign/errors';
import pg from 'pg';
import { type Explanation, explanation } from './explanation.js';

const CONNECT_MILLISECONDS = 10_000;

/**
 * Asks a gateway, over the wire and as the agent that the environment or `url` names.
 * @throws CountersignError what the gateway said, rpc.unavailable where there is none
 */
export async function askForExplanation(statement: string, url: string | undefined): Promise<Explanation> {
  const client = new pg.Client({
    connectionTimeoutMillis: CONNECT_MILLISECONDS,
    ...(url === undefined ? {} : { connectionString: url }),
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query(`EXPLAIN (COUNTERSIGN) ${statement}`);
    return explanation.parse(rows[0]?.countersign);
  } catch (thrown) {
    throw told(thrown);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function told(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const { routine, hint } = thrown as pg.DatabaseError;
  if (routine !== undefined && isErrorCode(routine)) {
    return new CountersignError(routine, hint === undefined ? {} : { next: hint });
  }
  const { code } = thrown as NodeJS.ErrnoException;
  if (typeof code !== 'string' || !/^E[A-Z]+$/.test(code)) return thrown;
  return new CountersignError('rpc.unavailable', { detail: `The gateway does not answer: ${code}.` });
}
