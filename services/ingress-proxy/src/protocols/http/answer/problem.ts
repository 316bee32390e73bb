import { type CountersignError, toProblem } from '@countersign/errors';

/** What an agent is told beside the error itself. */
export interface ProblemContext {
  readonly action?: string;
  readonly rules?: readonly string[];
  /** Where an approval that is waited for can be looked at. */
  readonly location?: string | null;
  /** Status where it says more than the catalogue's. */
  readonly status?: number;
}

export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** An error of the catalogue as problem details (RFC 9457). */
export function problemAnswer(error: CountersignError, context: ProblemContext = {}): ProblemAnswer {
  const { action, rules = [], location = null } = context;
  const status = context.status ?? error.entry.http;
  const problem = {
    ...toProblem(error),
    status,
    ...(action === undefined ? {} : { action }),
    ...(rules.length === 0 ? {} : { rules }),
  };
  const body = Buffer.from(JSON.stringify(problem));
  return {
    status,
    body,
    headers: {
      'content-type': 'application/problem+json',
      'content-length': String(body.length),
      'cache-control': 'no-store',
      ...(action === undefined ? {} : { 'countersign-action': action }),
      ...(location === null ? {} : { location }),
      ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...(status === 429 || status === 503 || status === 202 ? { 'retry-after': '1' } : {}),
    },
  };
}
