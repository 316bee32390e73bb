import { CountersignError } from '@countersign/errors';
import type { PersonRole } from '../aggregate/index.js';
import type { ListedGrant } from '../grants/index.js';
import type { Principal } from '../principals/index.js';

/** Audience of this service's own API. */
export const approvalAudience = 'countersign-approval';
export const evidenceAudience = 'countersign-evidence';
/** No target may be named so: a token for it would open one of our own doors. */
export const reservedAudiences = /^countersign-/;

/** Claims of a token that tell who bears it; times and ids are added when it is signed. */
export type BearerClaims = AgentClaims | AgentSelfClaims | PersonClaims;

interface AgentClaims {
  readonly kind: 'agent';
  readonly sub: string;
  readonly aud: string;
  readonly grant: string;
  readonly role: string;
  readonly on_behalf_of: string;
  /** RFC 8693, section 4.1: the agent that proved the key. */
  readonly act: { readonly sub: string };
}

/** For asking this service for grants, and looking at the own ones. */
interface AgentSelfClaims {
  readonly kind: 'agent';
  readonly sub: string;
  readonly aud: typeof approvalAudience;
}

interface PersonClaims {
  readonly kind: 'person';
  readonly sub: string;
  readonly aud: typeof approvalAudience | typeof evidenceAudience;
  readonly roles: readonly PersonRole[];
}

export interface TokenWish {
  /** Null: the target of the grant. */
  readonly audience: string | null;
  readonly grant: string | null;
}

/**
 * What a token may say of a principal. Its kind and roles are those of the enrolment; nothing that was sent can change them.
 * Throws the code of what stands against it.
 */
export function claimsFor(principal: Principal, wish: TokenWish, grant: ListedGrant | null): BearerClaims {
  const { id: sub, kind } = principal;
  if (principal.status !== 'enrolled') throw new CountersignError('auth.principal_disabled');
  if (kind === 'person') {
    if (wish.grant !== null) throw new CountersignError('auth.kind_forbidden');
    if (wish.audience !== approvalAudience && wish.audience !== evidenceAudience)
      throw new CountersignError('auth.kind_forbidden');
    return { kind, sub, aud: wish.audience, roles: principal.roles };
  }
  if (wish.grant === null) {
    if (wish.audience === approvalAudience) return { kind, sub, aud: approvalAudience };
    if (wish.audience === null || !reservedAudiences.test(wish.audience))
      throw new CountersignError('request.invalid', { detail: 'An agent needs a grant_id for a target.' });
    throw new CountersignError('auth.kind_forbidden');
  }
  // A grant of another agent is as good as none, and whether it exists is not told.
  if (grant === null || grant.agent !== sub) throw new CountersignError('grant.unknown');
  if (wish.audience !== null && wish.audience !== grant.target)
    throw new CountersignError('request.invalid', { detail: 'The grant is for another target.' });
  const { target, role, onBehalfOf } = grant;
  return { kind, sub, aud: target, grant: grant.id, role, on_behalf_of: onBehalfOf, act: { sub } };
}
