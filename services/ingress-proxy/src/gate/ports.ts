import type {
  ApprovalFact,
  Decision,
  EventData,
  EventType,
  Facts,
  Mode,
  Origin,
} from '@countersign/contracts';
import type { CountersignError } from '@countersign/errors';
import type { Analysable } from './action.js';

/** Facts as masking gave them; checked to be canonical, so that their text is what is digested. */
export interface Inspected {
  readonly facts: Facts;
  readonly factsText: string;
  readonly factsDigest: string;
  readonly contextDigest: string;
}

export interface Decided {
  readonly decision: Decision;
  /** PolicyInput.time, seconds since 1970. */
  readonly time: number;
  readonly inputDigest: string;
  readonly policyDigest: string;
}

export interface Rewritten {
  readonly text: string;
  readonly releasedColumns: readonly { readonly index: number; readonly label: string }[];
  readonly masked: boolean;
  readonly contextDigest: string;
}

/** Masking's refusal as a catalogued error, with reason and way out. */
export type RewriteResult = { readonly rewritten: Rewritten } | { readonly refusal: CountersignError };

export interface MaskingPort {
  /** Answers at once where the answer is known. Throws masking.unavailable, masking.catalogue_missing and the like. */
  inspect(target: string, submitted: Analysable): Inspected | Promise<Inspected>;
  rewrite(
    target: string,
    submitted: Analysable,
    profile: string,
    lookups: readonly string[],
  ): RewriteResult | Promise<RewriteResult>;
  release(
    target: string,
    profile: string,
    cells: readonly { readonly label: string; readonly value: Uint8Array }[],
  ): Promise<readonly Uint8Array[]>;
}

/** One question to policy, and the key by which its answer may be remembered. */
export interface DecisionQuestion {
  readonly time: number;
  /** Canonical JSON of the PolicyInput. */
  readonly input: () => string;
  readonly key: string;
}

export interface PolicyPort {
  /** Throws policy.unavailable. */
  decide(question: DecisionQuestion): Decided | Promise<Decided>;
}

export interface HoldQuestion {
  /** Canonical JSON of the ApprovalBinding. */
  readonly binding: string;
  readonly submitted: Analysable;
  readonly factsText: string;
  readonly action: string;
  readonly session: string;
  readonly reason: string;
  readonly rules: readonly string[];
}

export type HeldStatus = 'pending' | 'approved' | 'denied' | 'expired' | 'consumed';

export interface Held {
  readonly status: HeldStatus;
  readonly approval: ApprovalFact;
}

export interface ApprovalPort {
  /** Throws approval.unavailable. */
  hold(question: HoldQuestion): Promise<Held>;
  /** Waits for an answer, at most so long, and gives the state then. */
  await(approval: string, milliseconds: number, signal: AbortSignal): Promise<Held>;
  /** Throws approval.already_used, approval.expired, approval.other_action, approval.unavailable. */
  consume(approval: string, binding: string, action: string): Promise<void>;
}

/** Whether a session may still act. Throws grant.* or approval.unavailable. */
export interface GrantPort {
  check(grant: string, standing: GrantStanding): void | Promise<void>;
}

/** When a session's grant was last known to be active; kept with the session. */
export interface GrantStanding {
  /** Which unbroken stream of changes vouches for the last check; -1 for none. */
  checkedIn: number;
  /** Seconds since 1970. */
  expiresAt: number;
}

export interface Draft<Type extends EventType = EventType> {
  readonly type: Type;
  readonly data: EventData[Type];
  readonly correlationid?: string;
  readonly causationid?: string;
  readonly origin?: Origin;
  readonly mode?: Mode;
}

export type AnyDraft = { [Type in EventType]: Draft<Type> }[EventType];

export interface RecorderPort {
  /** Resolves when the events are durable. Throws recording.unavailable in bounded time. */
  append(drafts: readonly AnyDraft[]): Promise<unknown>;
  /** Soon, and not waited for. */
  appendLazily(drafts: readonly AnyDraft[]): Promise<unknown>;
}

export interface ClockPort {
  /** Milliseconds since 1970. */
  now(): number;
  /** Microseconds on a clock that never goes back. */
  microseconds(): number;
}
