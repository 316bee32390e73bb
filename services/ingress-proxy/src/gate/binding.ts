import { type ApprovalBinding, canonicalJson, digestOf, type SessionClaims } from '@countersign/contracts';
import type { Analysable } from './action.js';
import { bytesOfSubmitted } from './commitments.js';

/** Canonical JSON of what an approval is bound to: neither session nor time, so that a later session may use it. */
export function bindingText(
  claims: SessionClaims,
  submitted: Analysable,
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
    action: digestOf(bytesOfSubmitted(submitted)),
    policyDigest,
    profile,
  };
  return canonicalJson(binding);
}
