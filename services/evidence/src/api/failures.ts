import { CountersignError } from '@countersign/errors';

/** The catalogued form of what a request failed with: a database that does not answer is not an error inside. */
export function catalogued(thrown: unknown): CountersignError {
  if (thrown instanceof CountersignError) return thrown;
  if (isOfDatabase(thrown)) return new CountersignError('rpc.unavailable', { cause: thrown });
  return new CountersignError('internal', { cause: thrown });
}

/** Connection and operator errors of PostgreSQL (classes 08, 53, 57), and those of sockets. */
function isOfDatabase(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
  if (/^(08|53|57)[0-9A-Z]{3}$/.test(code) || /^E(CONN|PIPE|TIMEDOUT|AI_AGAIN|NOTFOUND)/.test(code))
    return true;
  return /^(Connection terminated|timeout exceeded when trying to connect)/.test(thrown.message);
}
