import { CountersignError, type ErrorCode } from '@countersign/errors';

/** Codes for errors that the framework itself raises, by HTTP status. */
const byStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'request.invalid',
  401: 'auth.token_invalid',
  403: 'auth.role_required',
  404: 'http.not_found',
  405: 'http.not_found',
  408: 'protocol.timeout',
  413: 'request.too_large',
  414: 'request.too_large',
  415: 'request.invalid',
  422: 'request.invalid',
  429: 'auth.too_many_attempts',
  503: 'service.stopping',
};

function statusOf(thrown: object): number | undefined {
  if ('getStatus' in thrown && typeof thrown.getStatus === 'function') {
    const status: unknown = thrown.getStatus();
    return typeof status === 'number' ? status : undefined;
  }
  // body-parser and its kind: http-errors
  if ('status' in thrown && 'type' in thrown && typeof thrown.status === 'number') return thrown.status;
  // A path with broken percent-encoding
  if (thrown instanceof URIError) return 400;
  return undefined;
}

const details: Readonly<Partial<Record<number, string>>> = {
  400: 'It cannot be read.',
  415: 'Its content type or encoding is not supported.',
};

/** The catalogued form of what a request's handling threw; the texts of others never pass. */
export function problemOf(thrown: unknown): CountersignError {
  if (thrown instanceof CountersignError) return thrown;
  const status = typeof thrown === 'object' && thrown !== null ? statusOf(thrown) : undefined;
  const code = status === undefined ? undefined : byStatus[status];
  if (status === undefined || code === undefined) return new CountersignError('internal', { cause: thrown });
  const detail = details[status];
  return new CountersignError(code, { ...(detail === undefined ? {} : { detail }), cause: thrown });
}
