import { approvalRpc, canonicalJson } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { z } from 'zod';
import type { GrantStatus } from '../grants/index.js';
import { type Approval, type ApprovalStatus, readBinding, type Submission } from '../requests/index.js';

/** Bytes; a statement and its parameters together, and facts as the design bounds them. */
const limits = { content: 2 * 1024 * 1024, facts: 48 * 1024, parameters: 65_535 } as const;

const { ApprovalStatus: Status, GrantStatus: Grant } = approvalRpc;

const statusOf = {
  pending: Status.APPROVAL_STATUS_PENDING,
  approved: Status.APPROVAL_STATUS_APPROVED,
  denied: Status.APPROVAL_STATUS_DENIED,
  expired: Status.APPROVAL_STATUS_EXPIRED,
  consumed: Status.APPROVAL_STATUS_CONSUMED,
} as const satisfies Record<ApprovalStatus, unknown>;

export const grantStatusOf = {
  requested: Grant.GRANT_STATUS_REQUESTED,
  active: Grant.GRANT_STATUS_ACTIVE,
  revoked: Grant.GRANT_STATUS_REVOKED,
  expired: Grant.GRANT_STATUS_EXPIRED,
} as const satisfies Record<GrantStatus, unknown>;

export function approvalMessage(approval: Approval): approvalRpc.Approval {
  return {
    id: approval.id,
    status: statusOf[approval.status],
    approver: approval.approver ?? '',
    expiresAt: BigInt(approval.expiresAt),
    decidedAt: BigInt(approval.decidedAt ?? 0),
  };
}

const idSchema = z.uuid();

/** An id of this service. Throws the code where it cannot be one, so that no such text reaches the database. */
export function readId(id: string, code: 'approval.unknown' | 'grant.unknown'): string {
  if (!idSchema.safeParse(id).success) throw new CountersignError(code);
  return id;
}

const invalid = (detail: string) => new CountersignError('request.invalid', { detail });

function readFacts(bytes: Buffer): string {
  if (bytes.length > limits.facts) throw invalid('facts: larger than 48 KiB.');
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    if (
      typeof value === 'object' &&
      value !== null &&
      !text.includes('\\u0000') &&
      canonicalJson(value) === text
    )
      return text;
  } catch {
    // told below
  }
  throw invalid('facts: not canonical JSON of an object.');
}

const words = z.object({
  actionId: z.string().min(1).max(128),
  sessionId: z.string().min(1).max(128),
  reason: z.string().max(1000),
  rules: z.array(z.string().min(1).max(128)).max(64),
});

/** Checks what the gateway submits. Throws request.invalid, or request.too_large, without repeating any of it. */
export function readSubmission(request: approvalRpc.HoldRequest): Submission {
  const parameters = request.parameters.map(({ isNull, value }) =>
    isNull ? null : value.toString('base64'),
  );
  const forms = request.parameters.map(({ binary, type, shown }) => (binary ? { type, shown } : null));
  const binary = forms.some((form) => form !== null) ? { binary: forms } : {};
  const size = request.parameters.reduce(
    (sum, { shown }, index) => sum + (parameters[index]?.length ?? 0) + Buffer.byteLength(shown),
    Buffer.byteLength(request.statement),
  );
  if (size > limits.content || parameters.length > limits.parameters)
    throw new CountersignError('request.too_large');
  const result = words.safeParse(request);
  const clean = result.success && !JSON.stringify(result.data).includes('\\u0000');
  if (!result.success || !clean)
    throw invalid('actionId, sessionId, reason or rules are not as they must be.');
  return {
    binding: readBinding(request.binding),
    content: { statement: request.statement, parameters, ...binary },
    facts: readFacts(request.facts),
    action: result.data.actionId,
    session: result.data.sessionId,
    reason: result.data.reason,
    rules: result.data.rules,
  };
}

/** The id of an action that wants to use an approval. Throws request.invalid. */
export function readAction(id: string): string {
  const result = words.shape.actionId.safeParse(id);
  if (!result.success || id.includes('\u0000')) throw invalid('actionId: 1 to 128 characters.');
  return result.data;
}
