import { type ApprovalFact, canonicalJson, type SessionClaims } from '@countersign/contracts';

/** The parts of a PolicyInput that are canonical JSON already. */
export interface PolicyInputParts {
  readonly time: number;
  readonly claimsText: string;
  readonly factsText: string;
  readonly approval: ApprovalFact | null;
}

/**
 * RFC 8785 canonical JSON of a PolicyInput, put together from canonical parts: the names are in the order that the
 * canonical form wants. Nothing is serialised twice on the way of an action.
 */
export function policyInputText(parts: PolicyInputParts): string {
  const approval = canonicalJson(parts.approval);
  return `{"approval":${approval},"facts":${parts.factsText},"session":${parts.claimsText},"time":${parts.time},"version":1}`;
}

/** Equal keys mean equal inputs. Both digests are of fixed length, so that the parts cannot run into one another. */
export function policyInputKey(
  parts: Pick<PolicyInputParts, 'time' | 'approval'>,
  factsDigest: string,
  sessionDigest: string,
): string {
  const approval = parts.approval === null ? '' : canonicalJson(parts.approval);
  return `${factsDigest} ${sessionDigest} ${parts.time} ${approval}`;
}

export function canonicalClaims(claims: SessionClaims): string {
  return canonicalJson(claims);
}
