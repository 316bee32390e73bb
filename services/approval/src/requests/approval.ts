import type { ApprovalBinding } from '@countersign/contracts';
import type { ErrorCode } from '@countersign/errors';
import { type Actor, holds, obeyed, type Rules, refused } from '../aggregate/index.js';

export type ApprovalStatus = 'pending' | 'approved' | 'denied' | 'expired' | 'consumed';

export interface Approval {
  readonly id: string;
  readonly binding: ApprovalBinding;
  readonly bindingDigest: string;
  readonly status: ApprovalStatus;
  /** Seconds since 1970. From this second on it can neither be approved nor used. */
  readonly expiresAt: number;
  readonly approver: string | null;
  /** Seconds since 1970 of the answer. */
  readonly decidedAt: number | null;
}

export type ApprovalState = Approval | null;

export interface RequestedApproval {
  readonly id: string;
  readonly binding: ApprovalBinding;
  readonly bindingDigest: string;
  /** Hexadecimal; opens the published commitment to the binding. */
  readonly salt: string;
  readonly action: string;
  readonly session: string;
  /** Canonical JSON of what the approver should know. */
  readonly facts: string;
  readonly reason: string;
  readonly rules: readonly string[];
  readonly expiresAt: number;
  readonly at: number;
}

export type ApprovalCommand =
  | ({ readonly type: 'request' } & RequestedApproval)
  | {
      readonly type: 'approve';
      readonly by: Actor;
      readonly at: number;
      /** How long it may be used from now on, seconds. */
      readonly usable: number;
    }
  | { readonly type: 'deny'; readonly by: Actor; readonly at: number }
  | { readonly type: 'consume'; readonly bindingDigest: string; readonly action: string; readonly at: number }
  /** The clock: ends the approval if its time is over. */
  | { readonly type: 'expire'; readonly at: number };

export type ApprovalHappening =
  | ({ readonly type: 'requested' } & RequestedApproval)
  | {
      readonly type: 'approved';
      readonly approver: string;
      readonly at: number;
      readonly expiresAt: number;
    }
  | { readonly type: 'denied'; readonly approver: string; readonly at: number }
  | { readonly type: 'expired'; readonly at: number }
  | { readonly type: 'consumed'; readonly action: string; readonly at: number };

const isOpen = (approval: Approval) => approval.status === 'pending' || approval.status === 'approved';

/** Why somebody may not answer an approval, or look at its statement; null for an eligible approver. */
export function refusalToJudge(
  actor: Actor,
  binding: Pick<ApprovalBinding, 'agent' | 'onBehalfOf'>,
): ErrorCode | null {
  if (actor.kind !== 'person') return 'auth.kind_forbidden';
  if (actor.id === binding.agent || actor.id === binding.onBehalfOf) return 'approval.self';
  return holds(actor, 'approver') ? null : 'auth.role_required';
}

const whyNotUsed = {
  pending: 'approval.pending',
  approved: null,
  denied: 'approval.denied',
  expired: 'approval.expired',
  consumed: 'approval.already_used',
} as const satisfies Record<ApprovalStatus, ErrorCode | null>;

/**
 * One human answer to one exact action: requested, then approved, denied or expired, and consumed at most once. Who may
 * answer is asked before the state, so that nobody learns of a state by an answer that was never allowed.
 */
export const approvalRules: Rules<ApprovalState, ApprovalCommand, ApprovalHappening> = {
  initial: null,
  decide(state, command) {
    if (command.type === 'request') {
      return state === null ? obeyed({ ...command, type: 'requested' }) : refused('request.invalid');
    }
    if (state === null) return command.type === 'expire' ? obeyed() : refused('approval.unknown');
    const overdue = isOpen(state) && command.at >= state.expiresAt;
    switch (command.type) {
      case 'approve':
      case 'deny': {
        const refusal = refusalToJudge(command.by, state.binding);
        if (refusal !== null) return refused(refusal);
        if (overdue) return refused('approval.expired', { type: 'expired', at: command.at });
        if (state.status !== 'pending') return refused('approval.not_pending');
        const answer = { approver: command.by.id, at: command.at };
        return command.type === 'deny'
          ? obeyed({ type: 'denied', ...answer })
          : obeyed({ type: 'approved', ...answer, expiresAt: command.at + command.usable });
      }
      case 'consume': {
        if (command.bindingDigest !== state.bindingDigest) return refused('approval.other_action');
        if (overdue) return refused('approval.expired', { type: 'expired', at: command.at });
        const why = whyNotUsed[state.status];
        return why === null
          ? obeyed({ type: 'consumed', action: command.action, at: command.at })
          : refused(why);
      }
      case 'expire':
        return overdue ? obeyed({ type: 'expired', at: command.at }) : obeyed();
    }
  },
  evolve(state, happening) {
    switch (happening.type) {
      case 'requested': {
        const { id, binding, bindingDigest, expiresAt } = happening;
        return { id, binding, bindingDigest, expiresAt, status: 'pending', approver: null, decidedAt: null };
      }
      case 'approved':
        return (
          state && {
            ...state,
            status: 'approved',
            approver: happening.approver,
            decidedAt: happening.at,
            expiresAt: happening.expiresAt,
          }
        );
      case 'denied':
        return state && { ...state, status: 'denied', approver: happening.approver, decidedAt: happening.at };
      case 'expired':
        return state && { ...state, status: 'expired' };
      case 'consumed':
        return state && { ...state, status: 'consumed' };
    }
  },
};
