import type { CountersignError, ErrorCode } from '@countersign/errors';

/** RFC 6749, section 5.2, and RFC 8707 (invalid_target). */
type OauthError =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_target'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'temporarily_unavailable'
  | 'server_error';

const names: Partial<Record<ErrorCode, OauthError>> = {
  'auth.proof_invalid': 'invalid_client',
  'auth.principal_unknown': 'invalid_client',
  'auth.principal_disabled': 'invalid_client',
  'auth.kind_forbidden': 'invalid_target',
  'grant.unknown': 'invalid_grant',
  'grant.not_active': 'invalid_grant',
  'grant.revoked': 'invalid_grant',
  'grant.expired': 'invalid_grant',
  'request.invalid': 'invalid_request',
};

export interface OauthProblem {
  readonly error: OauthError;
  readonly error_description: string;
  readonly code: ErrorCode;
  readonly next: string;
}

/** An error as a token endpoint answers it: the fields of OAuth, and the code and advice that all our errors have. */
export function oauthProblem(error: CountersignError, name?: OauthError): OauthProblem {
  const general = error.entry.http >= 500 ? 'server_error' : 'invalid_request';
  return {
    error: name ?? names[error.code] ?? general,
    // RFC 6749 allows no quotation mark or backslash here.
    error_description: error.message.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, ' '),
    code: error.code,
    next: error.next,
  };
}
