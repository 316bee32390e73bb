import type { GrantTerms } from '@countersign/contracts';
import { type Actor, holds, kindOfId, obeyed, type Rules, type Ruling, refused } from '../aggregate/index.js';

export type GrantStatus = 'requested' | 'active' | 'revoked' | 'expired';

export interface Grant {
  readonly id: string;
  readonly terms: GrantTerms;
  readonly by: string;
  readonly status: GrantStatus;
}

export type GrantState = Grant | null;

export type GrantCommand =
  | {
      readonly type: 'request';
      readonly id: string;
      readonly terms: GrantTerms;
      /** Longest life of a grant, seconds. */
      readonly longest: number;
      readonly by: Actor;
      readonly at: number;
    }
  | { readonly type: 'activate'; readonly by: Actor; readonly at: number }
  | { readonly type: 'revoke'; readonly by: Actor; readonly at: number }
  /** The clock: ends the grant if its time is over. */
  | { readonly type: 'expire'; readonly at: number };

export type GrantHappening =
  | {
      readonly type: 'requested';
      readonly id: string;
      readonly terms: GrantTerms;
      readonly by: string;
      readonly at: number;
    }
  | { readonly type: 'activated'; readonly by: string; readonly at: number }
  | { readonly type: 'revoked'; readonly by: string; readonly at: number }
  | { readonly type: 'expired'; readonly at: number };

/** An agent asks for itself, a person for agents that act for it, an administrator for any. */
function mayRequest(by: Actor, terms: GrantTerms): boolean {
  return by.id === terms.agent || by.id === terms.onBehalfOf || holds(by, 'administrator');
}

/** Whoever is party to a grant may give it up; an administrator or approver ends any. */
function mayRevoke(by: Actor, grant: Grant): boolean {
  return mayRequest(by, grant.terms) || by.id === grant.by || holds(by, 'approver');
}

/** An administrator or approver who neither asked for the grant, acts under it nor benefits from it. */
function refusalToActivate(by: Actor, grant: Grant): Ruling<GrantHappening> | null {
  if (by.kind !== 'person') return refused('auth.kind_forbidden');
  if ([grant.by, grant.terms.agent, grant.terms.onBehalfOf].includes(by.id)) return refused('grant.self');
  if (!holds(by, 'administrator', 'approver')) return refused('auth.role_required');
  return null;
}

/** The error that a grant in this state means to whoever would use it; null while it is active. */
export function refusalToUse(grant: GrantState, at: number) {
  if (grant === null) return 'grant.unknown';
  if (grant.status === 'revoked') return 'grant.revoked';
  if (grant.status === 'expired' || at >= grant.terms.expiresAt) return 'grant.expired';
  return grant.status === 'active' ? null : 'grant.not_active';
}

/** Permission for an agent on a target, in a role, for a period. */
export const grantRules: Rules<GrantState, GrantCommand, GrantHappening> = {
  initial: null,
  decide(state, command) {
    if (command.type === 'request') {
      if (state !== null) return refused('request.invalid');
      const { id, terms, at, by } = command;
      if (kindOfId(terms.agent) !== 'agent' || kindOfId(terms.onBehalfOf) !== 'person')
        return refused('request.invalid');
      if (terms.expiresAt <= at || terms.expiresAt > at + command.longest) return refused('request.invalid');
      if (!mayRequest(by, terms)) return refused('auth.role_required');
      return obeyed({ type: 'requested', id, terms, by: by.id, at });
    }
    if (state === null) return command.type === 'expire' ? obeyed() : refused('grant.unknown');
    const ended = state.status === 'revoked' || state.status === 'expired';
    const expired = !ended && command.at >= state.terms.expiresAt;
    switch (command.type) {
      case 'activate': {
        const refusal = refusalToActivate(command.by, state);
        if (refusal !== null) return refusal;
        if (expired) return refused('grant.expired', { type: 'expired', at: command.at });
        if (state.status !== 'requested') return refused('grant.not_requested');
        return obeyed({ type: 'activated', by: command.by.id, at: command.at });
      }
      case 'revoke': {
        if (!mayRevoke(command.by, state)) return refused('auth.role_required');
        if (expired) return obeyed({ type: 'expired', at: command.at });
        return ended ? obeyed() : obeyed({ type: 'revoked', by: command.by.id, at: command.at });
      }
      case 'expire':
        return expired ? obeyed({ type: 'expired', at: command.at }) : obeyed();
    }
  },
  evolve(state, happening) {
    switch (happening.type) {
      case 'requested': {
        const { id, terms, by } = happening;
        return { id, terms, by, status: 'requested' };
      }
      case 'activated':
        return state && { ...state, status: 'active' };
      case 'revoked':
        return state && { ...state, status: 'revoked' };
      case 'expired':
        return state && { ...state, status: 'expired' };
    }
  },
};
