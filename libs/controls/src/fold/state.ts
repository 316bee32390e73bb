import type { Verdict } from '@countersign/contracts';

/** The last event of a producer that is in its chain, and what its epoch named. */
export interface Head {
  readonly epoch: string;
  /** PEM of the epoch's public key. */
  readonly publicKey: string;
  readonly seq: number;
  /** Lower-case hexadecimal SHA-256 of the event. */
  readonly hash: string;
  readonly index: number;
  readonly time: string;
  /** Last sequence number that a valid signature covers; -1 for none. */
  readonly signed: number;
  /** Refusals that the producer says it could not record, less those that a missing ordinal was explained by. */
  readonly unrecorded: number;
  /** Missing sequence numbers, inclusive; a late event may still fill one. */
  readonly gaps: readonly (readonly [number, number])[];
}

/** A session that was opened and has not ended. */
export interface OpenSession {
  readonly index: number;
  readonly source: string;
  readonly digest: string;
  readonly agent: string;
  readonly onBehalfOf: string;
  readonly target: string;
  /** The ordinal that the next action has. */
  readonly ordinal: number;
}

/** An action that was decided to run and has no outcome yet. */
export interface OpenAction {
  readonly index: number;
  readonly source: string;
  readonly time: string;
  readonly session: string;
  readonly agent: string;
  readonly onBehalfOf: string;
  readonly target: string;
  readonly verdict: Verdict;
  readonly verbs: readonly string[];
  readonly labels: readonly string[];
  readonly risks: readonly string[];
  readonly profile: string | null;
  readonly approval: string | null;
}

/** An approval that was requested and is not denied, expired or used. */
export interface OpenApproval {
  readonly index: number;
  readonly time: string;
  readonly agent: string;
  readonly onBehalfOf: string;
  readonly target: string;
  readonly grant: string;
  readonly action: string;
  readonly expiresAt: number;
  readonly approver: string | null;
  readonly approvedIndex: number | null;
}

/** A use of an approval, of which one side has been seen: the decision that cites it, or its consumption. */
export interface HalfUse {
  readonly side: 'decided' | 'consumed';
  readonly index: number;
  readonly time: string;
  readonly action: string;
  readonly agent: string | null;
  readonly target: string | null;
}

/** A grant that is not over. */
export interface OpenGrant {
  readonly index: number;
  readonly agent: string;
  readonly onBehalfOf: string;
  readonly target: string;
  readonly role: string;
  readonly by: string;
  readonly active: boolean;
}

/**
 * What the fold remembers between leaves: plain JSON that grows with what is open, never with the log.
 */
export interface FoldState {
  readonly version: string;
  /** PEM of the deployment's CA, which certifies producers. */
  readonly authority: string;
  /** Leaves folded so far: the index that the next leaf has. */
  readonly size: number;
  /** Time of the last event that was sound: the stand-in for leaves that tell none. */
  readonly time: string;
  readonly heads: { readonly [source: string]: Head };
  readonly sessions: { readonly [session: string]: OpenSession };
  readonly actions: { readonly [action: string]: OpenAction };
  readonly approvals: { readonly [approval: string]: OpenApproval };
  readonly uses: { readonly [approval: string]: HalfUse };
  readonly grants: { readonly [grant: string]: OpenGrant };
}

/**
 * Names the rules of the fold and the mapping: a change in either that changes any record needs a new version.
 */
export const foldVersion = 'countersign-fold/1';

/** The state before the first leaf. */
export function initialFold(authority: string): FoldState {
  return {
    version: foldVersion,
    authority,
    size: 0,
    time: '1970-01-01T00:00:00.000Z',
    heads: {},
    sessions: {},
    actions: {},
    approvals: {},
    uses: {},
    grants: {},
  };
}

/** A state that a batch works on. Maps, because ids come from outside and `__proto__` is one. */
export interface Draft {
  readonly authority: string;
  size: number;
  time: string;
  readonly heads: Map<string, Head>;
  readonly sessions: Map<string, OpenSession>;
  readonly actions: Map<string, OpenAction>;
  readonly approvals: Map<string, OpenApproval>;
  readonly uses: Map<string, HalfUse>;
  readonly grants: Map<string, OpenGrant>;
}

export function thaw(state: FoldState): Draft {
  return {
    authority: state.authority,
    size: state.size,
    time: state.time,
    heads: new Map(Object.entries(state.heads)),
    sessions: new Map(Object.entries(state.sessions)),
    actions: new Map(Object.entries(state.actions)),
    approvals: new Map(Object.entries(state.approvals)),
    uses: new Map(Object.entries(state.uses)),
    grants: new Map(Object.entries(state.grants)),
  };
}

export function freeze(draft: Draft): FoldState {
  return {
    version: foldVersion,
    authority: draft.authority,
    size: draft.size,
    time: draft.time,
    heads: Object.fromEntries(draft.heads),
    sessions: Object.fromEntries(draft.sessions),
    actions: Object.fromEntries(draft.actions),
    approvals: Object.fromEntries(draft.approvals),
    uses: Object.fromEntries(draft.uses),
    grants: Object.fromEntries(draft.grants),
  };
}
