import {
  type Actor,
  holds,
  type Kind,
  kindOfId,
  obeyed,
  type PersonRole,
  type Rules,
  refused,
} from '../aggregate/index.js';
import type { PublicKey } from './public-key.js';

/** Who enrols what the configuration names: no principal can have this id. */
export const bootstrapper = 'system:bootstrap';

export interface Principal {
  readonly id: string;
  readonly kind: Kind;
  readonly roles: readonly PersonRole[];
  readonly key: PublicKey;
  readonly thumbprint: string;
  readonly status: 'enrolled' | 'disabled';
}

export type PrincipalState = Principal | null;

export type PrincipalCommand =
  | {
      readonly type: 'enrol';
      readonly id: string;
      readonly kind: Kind;
      readonly roles: readonly PersonRole[];
      readonly key: PublicKey;
      readonly thumbprint: string;
      /** Id of the principal that was ever enrolled with this key; null for a new one. */
      readonly keyOwner: string | null;
      /** Null: the configuration of the service. */
      readonly by: Actor | null;
      readonly at: number;
    }
  | {
      readonly type: 'rotate';
      readonly key: PublicKey;
      readonly thumbprint: string;
      readonly keyOwner: string | null;
      readonly by: Actor;
      readonly at: number;
    }
  | { readonly type: 'disable'; readonly by: Actor; readonly at: number };

export type PrincipalHappening =
  | {
      readonly type: 'enrolled';
      readonly id: string;
      readonly kind: Kind;
      readonly roles: readonly PersonRole[];
      readonly key: PublicKey;
      readonly thumbprint: string;
      readonly by: string;
      readonly at: number;
    }
  | {
      readonly type: 'rotated';
      readonly key: PublicKey;
      readonly thumbprint: string;
      /** Thumbprint of the key that it replaces. */
      readonly previous: string;
      readonly by: string;
      readonly at: number;
    }
  | { readonly type: 'disabled'; readonly by: string; readonly at: number };

const sorted = (roles: readonly PersonRole[]) => [...new Set(roles)].sort();

/**
 * Who is enrolled, with which key. A key serves one principal, once and for ever: an agent's key can therefore never come
 * to stand for a person, nor the other way round, whatever is disabled or rotated in between.
 */
export const principalRules: Rules<PrincipalState, PrincipalCommand, PrincipalHappening> = {
  initial: null,
  decide(state, command) {
    if (command.by !== null) {
      if (command.by.kind !== 'person') return refused('auth.kind_forbidden');
      if (!holds(command.by, 'administrator')) return refused('auth.role_required');
    }
    const by = command.by?.id ?? bootstrapper;
    switch (command.type) {
      case 'enrol': {
        if (kindOfId(command.id) !== command.kind) return refused('request.invalid');
        if (command.kind === 'agent' && command.roles.length > 0) return refused('auth.kind_forbidden');
        if (state !== null) return refused('auth.principal_exists');
        if (command.keyOwner !== null) return refused('auth.key_enrolled');
        const { id, kind, key, thumbprint, at } = command;
        return obeyed({ type: 'enrolled', id, kind, roles: sorted(command.roles), key, thumbprint, by, at });
      }
      case 'rotate': {
        if (state === null) return refused('auth.principal_unknown');
        if (state.status === 'disabled') return refused('auth.principal_disabled');
        if (command.keyOwner !== null) return refused('auth.key_enrolled');
        const { key, thumbprint, at } = command;
        return obeyed({ type: 'rotated', key, thumbprint, previous: state.thumbprint, by, at });
      }
      case 'disable': {
        if (state === null) return refused('auth.principal_unknown');
        // Nobody locks the last door from outside by a slip of the own hand.
        if (state.id === command.by.id) return refused('auth.role_required');
        return state.status === 'disabled' ? obeyed() : obeyed({ type: 'disabled', by, at: command.at });
      }
    }
  },
  evolve(state, happening) {
    switch (happening.type) {
      case 'enrolled': {
        const { id, kind, roles, key, thumbprint } = happening;
        return { id, kind, roles, key, thumbprint, status: 'enrolled' };
      }
      case 'rotated':
        return state && { ...state, key: happening.key, thumbprint: happening.thumbprint };
      case 'disabled':
        return state && { ...state, status: 'disabled' };
    }
  },
};
