import type { Facts, Protocol } from './facts.js';

export type Verdict = 'allow' | 'deny' | 'modify' | 'step_up' | 'defer';

/** What must hold when an action's result is released. */
export interface Obligations {
  /** Masking profile; `none` masks nothing and is given only where no label is touched. */
  readonly profile: string;
  /** Labels that may be used in WHERE, SET or constraints although masked. */
  readonly lookups: readonly string[];
  /** Rows after which release stops with an error; null for no limit. */
  readonly rowLimit: number | null;
  /** Seconds after which the action is cancelled; null for no limit. */
  readonly timeLimitSeconds: number | null;
}

export interface Decision {
  readonly verdict: Verdict;
  /** Sorted ids of the rules that gave the verdict, `role.reader.read`; never empty. */
  readonly rules: readonly string[];
  /** One sentence for the agent. */
  readonly reason: string;
  /** Null unless the verdict is allow, modify or step_up. */
  readonly obligations: Obligations | null;
}

/** What a session token says of its bearer, fixed for the session's life. */
export interface SessionClaims {
  readonly session: string;
  /** Opaque id of the enrolled agent: the token's subject. */
  readonly agent: string;
  /** Opaque id of the person for whom it acts. */
  readonly onBehalfOf: string;
  /** RFC 8693 delegation chain, innermost first: ids only. */
  readonly delegation: readonly string[];
  readonly grant: string;
  readonly role: string;
  readonly target: string;
  readonly protocol: Protocol;
}

/** What policy learns of a human's answer: present only on the second decision of a held action. */
export interface ApprovalFact {
  readonly id: string;
  readonly approver: string;
  readonly decidedAt: number;
  readonly expiresAt: number;
}

/**
 * The whole input of a decision. It is a pure function of recorded events, so that a verifier rebuilds it exactly:
 * claims from session.opened, facts from facts.described, the rest from action.decided.
 */
export interface PolicyInput {
  readonly version: 1;
  /** Whole seconds since 1970-01-01T00:00:00Z, so that a reused decision stays recomputable. */
  readonly time: number;
  readonly session: SessionClaims;
  readonly facts: Facts;
  readonly approval: ApprovalFact | null;
}

/**
 * What an approval is bound to. Two actions need the same approval exactly when the canonical JSON is equal.
 */
export interface ApprovalBinding {
  readonly version: 1;
  readonly agent: string;
  readonly onBehalfOf: string;
  readonly grant: string;
  readonly role: string;
  readonly target: string;
  /** Digest of the exact text and parameters; unsalted, so it never leaves ingress and approval. */
  readonly action: string;
  readonly policyDigest: string;
  readonly profile: string;
}
