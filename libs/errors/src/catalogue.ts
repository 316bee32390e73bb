/**
 * The catalogue of errors that Countersign shows to agents, people and operators.
 *
 * Each entry says what happened, what to do next, and how the three wire protocols carry it:
 * SQLSTATE (PostgreSQL, Appendix A), gRPC status code, and HTTP status (RFC 9110).
 * A sentence never holds a literal, a credential or a row value.
 */
export interface CatalogueEntry {
  readonly message: string;
  readonly next: string;
  readonly sqlstate: string;
  readonly grpc: GrpcStatus;
  readonly http: number;
}

export type GrpcStatus =
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'UNAUTHENTICATED'
  | 'CANCELLED';

function entry(
  message: string,
  next: string,
  sqlstate: string,
  grpc: GrpcStatus,
  http: number,
): CatalogueEntry {
  return { message, next, sqlstate, grpc, http };
}

export const catalogue = {
  // Who is asking
  'auth.token_missing': entry(
    'No session token was sent.',
    'Send a session token as the password; see `countersign token --help`.',
    '28000',
    'UNAUTHENTICATED',
    401,
  ),
  'auth.token_invalid': entry(
    'The session token is not valid.',
    'Ask for a new token with `countersign token`.',
    '28000',
    'UNAUTHENTICATED',
    401,
  ),
  'auth.token_expired': entry(
    'The session token has expired.',
    'Ask for a new token with `countersign token` and connect again.',
    '28000',
    'UNAUTHENTICATED',
    401,
  ),
  'auth.token_wrong_target': entry(
    'The session token was issued for another target.',
    'Connect to the target that the token names, or ask for a token for this one.',
    '28000',
    'UNAUTHENTICATED',
    401,
  ),
  'auth.subject_mismatch': entry(
    'The user name is not the subject of the session token.',
    'Use the id of the enrolled agent as user name.',
    '28000',
    'UNAUTHENTICATED',
    401,
  ),
  'auth.insecure_transport': entry(
    'A session token may not travel in clear text over this connection.',
    'Connect with TLS, over loopback or over a Unix socket.',
    '28000',
    'UNAUTHENTICATED',
    401,
  ),
  'auth.proof_invalid': entry(
    'The proof of key possession is not valid.',
    'Sign a fresh client assertion with the enrolled key (RFC 7523); each may be used once.',
    '28000',
    'UNAUTHENTICATED',
    401,
  ),
  'auth.kind_forbidden': entry(
    'This kind of principal may not do that.',
    'Use the key of a person for what only a person may do.',
    '42501',
    'PERMISSION_DENIED',
    403,
  ),
  'auth.role_required': entry(
    'The token lacks the role that this needs.',
    'Ask an administrator for the role.',
    '42501',
    'PERMISSION_DENIED',
    403,
  ),
  'auth.principal_unknown': entry(
    'No such principal is enrolled.',
    'Enrol it with `countersign enroll`.',
    '28000',
    'UNAUTHENTICATED',
    401,
  ),
  'auth.principal_exists': entry(
    'A principal with this id is already enrolled.',
    'Choose another id.',
    '42710',
    'ALREADY_EXISTS',
    409,
  ),
  'auth.key_enrolled': entry(
    'This public key was enrolled before.',
    'Make a new key; a key serves one principal, once.',
    '42710',
    'ALREADY_EXISTS',
    409,
  ),
  'auth.principal_disabled': entry(
    'The principal is disabled.',
    'Ask an administrator to enrol a new principal.',
    '28000',
    'PERMISSION_DENIED',
    403,
  ),
  'auth.too_many_attempts': entry(
    'Too many refused attempts from this peer.',
    'Wait a minute and try again with a valid token.',
    '53300',
    'RESOURCE_EXHAUSTED',
    429,
  ),
  'session.cancel_unknown': entry(
    'A cancel request named no session.',
    'Nothing needs to be done: what it meant has ended, or its key was never given out.',
    '57014',
    'NOT_FOUND',
    404,
  ),
  'session.too_many': entry(
    'Too many connections are open.',
    'Close a connection, or try again later.',
    '53300',
    'RESOURCE_EXHAUSTED',
    503,
  ),

  // Grants and targets
  'grant.unknown': entry(
    'No such grant exists.',
    'Ask for a grant on the target first.',
    '28000',
    'NOT_FOUND',
    404,
  ),
  'grant.not_active': entry(
    'The grant is not active.',
    'Ask for a new grant on the target.',
    '28000',
    'PERMISSION_DENIED',
    403,
  ),
  'grant.revoked': entry(
    'The grant was revoked.',
    'Ask for a new grant on the target.',
    '28000',
    'PERMISSION_DENIED',
    403,
  ),
  'grant.expired': entry(
    'The grant has expired.',
    'Ask for a new grant on the target.',
    '28000',
    'PERMISSION_DENIED',
    403,
  ),
  'grant.self': entry(
    'Who asked for a grant, acts under it or benefits from it may not activate it.',
    'Ask another person who is approver or administrator.',
    '42501',
    'PERMISSION_DENIED',
    403,
  ),
  'grant.not_requested': entry(
    'The grant does not wait for activation.',
    'Look at its state with `countersign grants list`.',
    '55000',
    'FAILED_PRECONDITION',
    409,
  ),
  'target.unknown': entry(
    'No such target is configured.',
    'Use the name of a configured target as database name.',
    '3D000',
    'NOT_FOUND',
    404,
  ),
  'target.unavailable': entry(
    'The target cannot be reached.',
    'Try again later; the operator sees why in the logs.',
    '08001',
    'UNAVAILABLE',
    503,
  ),
  'target.connection_lost': entry(
    'The connection to the target was lost; the outcome of the action is unknown.',
    'Connect again and look at the state before you repeat the action.',
    '08006',
    'UNAVAILABLE',
    503,
  ),
  'target.failed': entry(
    'The target refused the action.',
    'Correct the statement; the code says what kind of error it was.',
    'XX000',
    'FAILED_PRECONDITION',
    422,
  ),

  // What was sent
  'protocol.malformed': entry(
    'A message does not follow the protocol.',
    'Use a driver that speaks PostgreSQL protocol 3.0.',
    '08P01',
    'INVALID_ARGUMENT',
    400,
  ),
  'protocol.too_large': entry(
    'A message is larger than the gateway accepts.',
    'Send smaller messages.',
    '54000',
    'INVALID_ARGUMENT',
    413,
  ),
  'protocol.out_of_order': entry(
    'A message arrived where the protocol does not allow it.',
    'Use a driver that speaks PostgreSQL protocol 3.0.',
    '08P01',
    'INVALID_ARGUMENT',
    400,
  ),
  'protocol.unsupported': entry(
    'The gateway does not support this part of the protocol.',
    'Use the simple or extended query protocol in text format.',
    '0A000',
    'UNIMPLEMENTED',
    501,
  ),
  'protocol.timeout': entry('The peer took too long.', 'Connect again.', '08006', 'DEADLINE_EXCEEDED', 408),
  'statement.too_large': entry(
    'The statement is larger than the gateway accepts.',
    'Send values as parameters, or split the statement.',
    '54000',
    'INVALID_ARGUMENT',
    413,
  ),
  'statement.invalid_text': entry(
    'The statement holds bytes that are not valid UTF-8 text.',
    'Send UTF-8 without NUL characters.',
    '22021',
    'INVALID_ARGUMENT',
    400,
  ),
  'statement.unparsable': entry(
    'The statement could not be parsed.',
    'Correct its syntax.',
    '42601',
    'INVALID_ARGUMENT',
    400,
  ),
  'statement.too_complex': entry(
    'The statement is too complex to analyse.',
    'Split it into simpler statements.',
    '54001',
    'INVALID_ARGUMENT',
    413,
  ),
  'statement.transaction_failed': entry(
    'The current transaction has failed.',
    'Send ROLLBACK and begin again.',
    '25P02',
    'FAILED_PRECONDITION',
    409,
  ),
  'request.invalid': entry(
    'The request is not valid.',
    'Correct the fields that the answer names.',
    '22023',
    'INVALID_ARGUMENT',
    400,
  ),
  'request.too_large': entry(
    'The request is larger than is accepted.',
    'Send less at once.',
    '54000',
    'RESOURCE_EXHAUSTED',
    413,
  ),

  // Masking
  'masking.opaque_predicate': entry(
    'A masked column is used where its hidden value would shape the answer.',
    'Filter, join, group or order by a column that is not masked, or ask for a role whose profile keeps the meaning.',
    '42501',
    'PERMISSION_DENIED',
    403,
  ),
  'masking.write_to_masked': entry(
    'A write reads or compares a masked column.',
    'Address rows by a column that is not masked, or ask for a role whose policy grants a lookup of the label.',
    '42501',
    'PERMISSION_DENIED',
    403,
  ),
  'masking.not_understood': entry(
    'The statement uses a construct that masking does not understand.',
    'Rewrite it without the construct that the reason names.',
    '0A000',
    'UNIMPLEMENTED',
    422,
  ),
  'masking.not_reproducible': entry(
    'The masked statement could not be written back faithfully.',
    'Write the statement in a plainer form.',
    '0A000',
    'UNIMPLEMENTED',
    422,
  ),
  'masking.surrogate_computed': entry(
    'A column that is replaced by surrogates is computed with.',
    'Select the column as it is, group by it or count it; do not compute from it.',
    '42501',
    'PERMISSION_DENIED',
    403,
  ),
  'masking.profile_unknown': entry(
    'The masking profile is not configured.',
    'The operator must add the profile to the labels file.',
    '58000',
    'FAILED_PRECONDITION',
    500,
  ),
  'masking.catalogue_missing': entry(
    'The catalogue of the target has not been read.',
    'Try again in a moment.',
    '58000',
    'FAILED_PRECONDITION',
    503,
  ),
  'masking.unavailable': entry(
    'The masking service does not answer, so nothing runs.',
    'Try again in a moment.',
    '58000',
    'UNAVAILABLE',
    503,
  ),

  // Policy and approval
  'policy.denied': entry(
    'Policy does not allow this action.',
    'Ask for a role that may do it, or for a narrower action.',
    '42501',
    'PERMISSION_DENIED',
    403,
  ),
  'policy.deferred': entry(
    'Policy does not allow this action now.',
    'Try again after the time that the reason names.',
    '55P03',
    'FAILED_PRECONDITION',
    409,
  ),
  'policy.unavailable': entry(
    'The policy service does not answer, so nothing runs.',
    'Try again in a moment.',
    '58000',
    'UNAVAILABLE',
    503,
  ),
  'policy.failed': entry(
    'Policy could not decide, so nothing runs.',
    'Tell the operator the correlation id.',
    '58000',
    'INTERNAL',
    500,
  ),
  'policy.bundle_invalid': entry(
    'The policy bundle cannot be used.',
    'Build it again as policies/README.md says; the policy that was active stays active.',
    '58000',
    'FAILED_PRECONDITION',
    500,
  ),
  'approval.pending': entry(
    'The action waits for a human approval.',
    'Submit the identical action again once it is approved.',
    '55P03',
    'FAILED_PRECONDITION',
    202,
  ),
  'approval.denied': entry(
    'A human denied the action.',
    'Talk to the approver, or submit another action.',
    '42501',
    'PERMISSION_DENIED',
    403,
  ),
  'approval.expired': entry(
    'The approval has expired.',
    'Submit the action again to ask anew.',
    '42501',
    'FAILED_PRECONDITION',
    410,
  ),
  'approval.already_used': entry(
    'The approval was already used.',
    'Submit the action again to ask anew.',
    '42501',
    'FAILED_PRECONDITION',
    409,
  ),
  'approval.other_action': entry(
    'The approval is bound to another action.',
    'Submit exactly the action that was approved.',
    '42501',
    'FAILED_PRECONDITION',
    409,
  ),
  'approval.self': entry(
    'A requester may not approve the own action.',
    'Ask another person.',
    '42501',
    'PERMISSION_DENIED',
    403,
  ),
  'approval.unknown': entry(
    'No such approval exists.',
    'List approvals with `countersign approvals list`.',
    '42704',
    'NOT_FOUND',
    404,
  ),
  'approval.not_pending': entry(
    'The approval was already answered.',
    'Look at its state with `countersign approvals show`.',
    '55000',
    'FAILED_PRECONDITION',
    409,
  ),
  'approval.content_erased': entry(
    'The statement of this approval was erased.',
    'Look at its facts; the text itself is gone for good.',
    '55000',
    'FAILED_PRECONDITION',
    410,
  ),
  'approval.in_transaction': entry(
    'An action that needs approval cannot wait inside a transaction that has written or locked.',
    'Roll back, and submit the action alone.',
    '25001',
    'FAILED_PRECONDITION',
    409,
  ),
  'approval.unavailable': entry(
    'The approval service does not answer, so nothing runs.',
    'Try again in a moment.',
    '58000',
    'UNAVAILABLE',
    503,
  ),

  // Release
  'release.row_limit': entry(
    'The result has more rows than policy allows.',
    'Narrow the statement.',
    '54000',
    'RESOURCE_EXHAUSTED',
    413,
  ),
  'release.time_limit': entry(
    'The action ran longer than policy allows and was cancelled.',
    'Narrow the statement.',
    '57014',
    'DEADLINE_EXCEEDED',
    408,
  ),

  // Recording and evidence
  'recording.unavailable': entry(
    'The action cannot be recorded, so it does not run.',
    'Try again in a moment.',
    '58000',
    'UNAVAILABLE',
    503,
  ),
  'recording.invalid': entry(
    'What should be recorded is not a valid event, so it does not run.',
    'Make the action smaller; tell the operator if that does not help.',
    '54000',
    'INVALID_ARGUMENT',
    413,
  ),
  'recording.malformed': entry(
    'Recorded bytes are not a valid event.',
    'Look at the record that the message names.',
    '22000',
    'INVALID_ARGUMENT',
    422,
  ),
  'evidence.record_unknown': entry(
    'No such record exists.',
    'List records first.',
    '42704',
    'NOT_FOUND',
    404,
  ),
  'dossier.unavailable': entry(
    'The dossier cannot be read.',
    'Give the path of a file that exists and may be read.',
    '58030',
    'NOT_FOUND',
    404,
  ),
  'evidence.cursor_invalid': entry(
    'The cursor is not valid.',
    'Start again without a cursor.',
    '22023',
    'INVALID_ARGUMENT',
    400,
  ),
  'evidence.not_ready': entry(
    'No checkpoint covers this yet.',
    'Try again in a moment.',
    '55000',
    'FAILED_PRECONDITION',
    409,
  ),

  // Running it
  'rpc.deadline': entry(
    'A service did not answer in time.',
    'Try again in a moment.',
    '58000',
    'DEADLINE_EXCEEDED',
    504,
  ),
  'rpc.overloaded': entry(
    'Too many requests are in flight.',
    'Try again in a moment.',
    '53300',
    'RESOURCE_EXHAUSTED',
    503,
  ),
  'rpc.cancelled': entry(
    'The request was cancelled.',
    'Send it again if it is still wanted.',
    '57014',
    'CANCELLED',
    499,
  ),
  'rpc.unavailable': entry(
    'A service cannot be reached.',
    'Try again in a moment.',
    '58000',
    'UNAVAILABLE',
    503,
  ),
  'service.stopping': entry(
    'The service is shutting down.',
    'Connect again in a moment.',
    '57P01',
    'UNAVAILABLE',
    503,
  ),
  'service.port_in_use': entry(
    'Another process already listens at the address.',
    'Stop the process that holds it, or configure another address.',
    '58000',
    'FAILED_PRECONDITION',
    500,
  ),
  'service.already_running': entry(
    'Another process already works on this folder.',
    'Stop that process, or name another folder.',
    '58000',
    'FAILED_PRECONDITION',
    500,
  ),
  'service.disk_full': entry(
    'There is no space left on the disk.',
    'Free space on the disk that the message names, and start again.',
    '53100',
    'RESOURCE_EXHAUSTED',
    507,
  ),
  'config.invalid': entry(
    'The configuration is not valid.',
    'Correct the settings that the message names.',
    '58000',
    'FAILED_PRECONDITION',
    500,
  ),
  'http.not_found': entry(
    'There is nothing at this address.',
    'See the OpenAPI page of the service.',
    '42704',
    'NOT_FOUND',
    404,
  ),
  'http.ambiguous': entry(
    'The request can be read in more than one way.',
    'Send one request in plain HTTP/1.1: a normalised path, each header and each name in the query once.',
    '08P01',
    'INVALID_ARGUMENT',
    400,
  ),
  'http.unmaskable': entry(
    'The answer of the target cannot be masked, so nothing of it was released.',
    'Tell the operator which operation it was; its answer is not the JSON that is declared.',
    'XX000',
    'FAILED_PRECONDITION',
    502,
  ),
  internal: entry(
    'Something went wrong inside the gateway; nothing was released.',
    'Tell the operator the correlation id.',
    'XX000',
    'INTERNAL',
    500,
  ),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof catalogue;

/** Whether a string is a code of the catalogue. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(catalogue, code);
}
