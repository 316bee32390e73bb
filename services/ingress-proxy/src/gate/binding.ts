import { type ApprovalBinding, canonicalJson, digestOf, type SessionClaims } from '@countersign/contracts';
import type { Statement } from './action.js';
import { textOfStatement } from './commitments.js';

/** Canonical JSON of what an approval is bound to: neither session nor time, so that a later session may use it. */
export function bindingText(
  claims: SessionClaims,
  statement: Statement,
  policyDigest: string,
  profile: string,
): string {
  const binding: ApprovalBinding = {
    version: 1,
    agent: claims.agent,
    onBehalfOf: claims.onBehalfOf,
    grant: claims.grant,
    role: claims.role,
    target: claims.target,
    action: digestOf(textOfStatement(statement)),
    policyDigest,
    profile,
  };
  return canonicalJson(binding);
}
