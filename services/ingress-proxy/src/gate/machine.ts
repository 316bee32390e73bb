import type { ApprovalFact, Stage, Verdict } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import type { Decided, Held, Inspected, RewriteResult, Rewritten } from './ports.js';

/** What is decided on an action and must be durable before anything else happens. */
export interface Finding {
  readonly verdict: Verdict;
  readonly stage: Stage;
  /** Null where the action goes on. */
  readonly refusal: CountersignError | null;
}

/** What is to be done next with one action. */
export type Step =
  | { readonly do: 'admit' }
  | { readonly do: 'inspect' }
  | { readonly do: 'decide' }
  | { readonly do: 'rewrite' }
  | { readonly do: 'record'; readonly finding: Finding; readonly next: 'answer' | 'hold' | 'consume' | 'run' }
  | { readonly do: 'hold' }
  | { readonly do: 'await' }
  | { readonly do: 'consume' }
  | { readonly do: 'run' }
  /** Stopped after a decision that let it run: recorded as an outcome. */
  | { readonly do: 'complete'; readonly error: CountersignError }
  | { readonly do: 'answer'; readonly error: CountersignError };

/** All that is known of one action on its way. */
export interface ActionState {
  readonly step: Step;
  readonly purpose: 'run' | 'prepare';
  readonly inspected: Inspected | null;
  readonly decided: Decided | null;
  readonly rewritten: Rewritten | null;
  /** What an approval was asked for: the second decision must be about the same. */
  readonly bound: { readonly policyDigest: string; readonly profile: string } | null;
  readonly held: ApprovalFact | null;
  readonly approval: ApprovalFact | null;
  /** Whether facts were asked for anew because catalogue or labels changed under way. */
  readonly again: boolean;
}

/** What stands around the action. */
export interface Circumstances {
  /** Whether an open transaction may have written or locked. */
  readonly dirtyTransaction: boolean;
  /** Whether the gateway refused an earlier action of the open transaction. */
  readonly blocked: (inspected: Inspected) => boolean;
}

export function firstState(purpose: 'run' | 'prepare'): ActionState {
  return {
    step: { do: 'admit' },
    purpose,
    inspected: null,
    decided: null,
    rewritten: null,
    bound: null,
    held: null,
    approval: null,
    again: false,
  };
}

export function afterAdmission(state: ActionState, refusal: CountersignError | null): ActionState {
  if (refusal === null) return { ...state, step: { do: 'inspect' } };
  return refuse(state, 'gate', refusal);
}

export function afterInspection(
  state: ActionState,
  result: Inspected | CountersignError,
  around: Circumstances,
): ActionState {
  if (result instanceof CountersignError) return refuse(state, 'inspect', result);
  const inspected = { ...state, inspected: result };
  if (around.blocked(result)) {
    return refuse(inspected, 'gate', new CountersignError('statement.transaction_failed'));
  }
  return { ...inspected, step: { do: 'decide' } };
}

export function afterDecision(state: ActionState, result: Decided | CountersignError): ActionState {
  if (result instanceof CountersignError) return refuse(state, 'policy', result);
  const decided = { ...state, decided: result };
  const { decision } = result;
  switch (decision.verdict) {
    case 'deny':
      return refuse(decided, 'policy', new CountersignError(denialCode(state), { detail: decision.reason }));
    case 'defer':
      return refuse(
        decided,
        'policy',
        new CountersignError('policy.deferred', { detail: decision.reason }),
        'defer',
      );
    case 'allow':
    case 'modify':
    case 'step_up':
      break;
  }
  // Obligations are what makes running safe: a verdict without them lets nothing run.
  if (decision.obligations === null)
    return refuse(decided, 'gate', new CountersignError('policy.unavailable'));
  if (state.approval !== null) {
    const same =
      decision.verdict !== 'step_up' &&
      state.bound?.policyDigest === result.policyDigest &&
      state.bound.profile === decision.obligations.profile;
    if (!same) return refuse(decided, 'approval', new CountersignError('approval.other_action'));
  }
  return { ...decided, step: { do: 'rewrite' } };
}

export function afterRewrite(
  state: ActionState,
  result: RewriteResult | CountersignError,
  around: Circumstances,
): ActionState {
  if (result instanceof CountersignError) return refuse(state, 'masking', result);
  if ('refusal' in result) return refuse(state, 'masking', result.refusal);
  const rewritten = { ...state, rewritten: result.rewritten };
  const { decided, inspected } = state;
  if (decided === null || inspected === null) return refuse(state, 'gate', new CountersignError('internal'));
  // Facts and rewrite must rest on the same catalogue and labels, else policy decided about something else.
  if (result.rewritten.contextDigest !== inspected.contextDigest) {
    if (!state.again) return { ...state, again: true, decided: null, step: { do: 'inspect' } };
    return refuse(state, 'masking', new CountersignError('masking.catalogue_missing'));
  }
  const { verdict } = decided.decision;
  if (verdict !== 'step_up') {
    const next = state.approval === null ? 'run' : 'consume';
    return {
      ...rewritten,
      step: { do: 'record', finding: { verdict, stage: 'policy', refusal: null }, next },
    };
  }
  if (state.purpose === 'prepare') {
    const detail = 'A statement that needs an approval is described only in the moment when it runs.';
    return refuse(state, 'gate', new CountersignError('protocol.unsupported', { detail }));
  }
  if (around.dirtyTransaction)
    return refuse(state, 'approval', new CountersignError('approval.in_transaction'));
  return {
    ...rewritten,
    bound: { policyDigest: decided.policyDigest, profile: decided.decision.obligations?.profile ?? '' },
    step: { do: 'record', finding: { verdict, stage: 'policy', refusal: null }, next: 'hold' },
  };
}

export function afterRecord(state: ActionState, failure: CountersignError | null): ActionState {
  if (state.step.do !== 'record') return state;
  // Nothing was recorded, so nothing happened and nothing is said but this.
  if (failure !== null) return { ...state, step: { do: 'answer', error: failure } };
  const { finding, next } = state.step;
  if (next === 'answer') {
    return { ...state, step: { do: 'answer', error: finding.refusal ?? new CountersignError('internal') } };
  }
  return { ...state, step: { do: next } };
}

/** After asking for an approval, and after each wait for its answer. */
export function afterHold(
  state: ActionState,
  result: Held | CountersignError,
  patience: boolean,
  cancelled: CountersignError | null = null,
): ActionState {
  if (result instanceof CountersignError) return refuse(state, 'approval', result);
  const { status, approval } = result;
  switch (status) {
    case 'approved':
      // The whole way again: the token may have expired meanwhile, the labels or the policy changed.
      return {
        ...state,
        step: { do: 'admit' },
        held: approval,
        approval,
        inspected: null,
        decided: null,
        rewritten: null,
      };
    case 'pending':
      if (patience) return { ...state, held: approval, step: { do: 'await' } };
      return refuse(
        { ...state, held: approval },
        'approval',
        cancelled === null
          ? new CountersignError('approval.pending', { detail: `Its id is ${approval.id}.` })
          : new CountersignError(cancelled.code, { detail: `Approval ${approval.id} stays open.` }),
        'defer',
      );
    case 'denied':
      return refuse({ ...state, held: approval }, 'approval', new CountersignError('approval.denied'));
    case 'expired':
      return refuse({ ...state, held: approval }, 'approval', new CountersignError('approval.expired'));
    case 'consumed':
      return refuse({ ...state, held: approval }, 'approval', new CountersignError('approval.already_used'));
  }
}

export function afterConsumption(state: ActionState, failure: CountersignError | null): ActionState {
  if (failure === null) return { ...state, step: { do: 'run' } };
  return { ...state, step: { do: 'complete', error: failure } };
}

/** The agent no longer wants what was decided to run: it does not begin, and an approval stays unused. */
export function afterCancellation(state: ActionState, cancelled: CountersignError): ActionState {
  return { ...state, step: { do: 'complete', error: cancelled } };
}

/** What cannot be analysed never gets further. */
export function unanalysable(error: CountersignError): ActionState {
  return refuse(firstState('run'), 'inspect', error);
}

function refuse(
  state: ActionState,
  stage: Stage,
  refusal: CountersignError,
  verdict: 'deny' | 'defer' = 'deny',
): ActionState {
  return {
    ...state,
    rewritten: null,
    step: { do: 'record', finding: { verdict, stage, refusal }, next: 'answer' },
  };
}

/** What cannot be parsed deserves an answer that says so; it is policy that denied it all the same. */
function denialCode(state: ActionState): 'policy.denied' | 'statement.unparsable' | 'statement.too_large' {
  const risks = state.inspected?.facts.risks ?? [];
  if (risks.includes('unparsable')) return 'statement.unparsable';
  if (risks.includes('too-large')) return 'statement.too_large';
  return 'policy.denied';
}
