import type { ApprovalFact, Decision, SessionClaims, Verdict } from './decision.js';
import type { Facts, Risk, Verb } from './facts.js';

/** The topic of each publishing service. */
export const topics = {
  'ingress-proxy': 'countersign.ingress.v1',
  approval: 'countersign.approval.v1',
  policy: 'countersign.policy.v1',
  masking: 'countersign.masking.v1',
  evidence: 'countersign.evidence.v1',
} as const;
export type ServiceName = keyof typeof topics;
export type Topic = (typeof topics)[ServiceName];

export type Mode = 'enforce' | 'dryrun';
export type Origin = 'agent' | 'person' | 'canary' | 'system';

/**
 * A CloudEvents 1.0 event in structured JSON mode. A record's value is the exact UTF-8 text that is hashed, stored and
 * verified; it is never serialised again.
 */
export interface EventEnvelope<Type extends EventType = EventType> {
  readonly specversion: '1.0';
  /** UUIDv7; equal ids are one event. */
  readonly id: string;
  /** `/<service>/<instance>`: the producer, and the record's key. */
  readonly source: string;
  readonly type: Type;
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  /** One life of the producer, UUIDv7. */
  readonly epoch: string;
  /** Decimal, from 0 in each epoch, without gaps. */
  readonly seq: string;
  /** Lower-case hexadecimal SHA-256 of the previous event's bytes in the epoch; 64 zeros for event 0. */
  readonly prevhash: string;
  readonly correlationid?: string;
  readonly causationid?: string;
  readonly traceparent?: string;
  readonly mode: Mode;
  readonly origin: Origin;
  readonly data: EventData[Type];
}

/** Where a refusal was made, for events whose verdict is not policy's own. */
export type Stage = 'inspect' | 'policy' | 'masking' | 'approval' | 'gate';

export interface ActionDecided {
  readonly action: string;
  readonly session: string;
  /** From 0 in each session, without gaps. */
  readonly ordinal: number;
  readonly target: string;
  readonly agent: string;
  readonly onBehalfOf: string;
  readonly role: string;
  readonly grant: string;
  /** Id of the open transaction and the action's ordinal in it; null outside. */
  readonly transaction: { readonly id: string; readonly ordinal: number } | null;
  readonly verbs: readonly Verb[];
  /** Schema-qualified names. */
  readonly objects: readonly string[];
  readonly labels: readonly string[];
  readonly risks: readonly Risk[];
  /** What holds: policy's verdict, or `deny` where a later stage refused. */
  readonly verdict: Verdict;
  readonly stage: Stage;
  /** Code of libs/errors where the action was refused; null otherwise. */
  readonly refusal: string | null;
  /** Policy's own answer, exactly; null where it was never asked (system actions, failed inspection). */
  readonly decision: Decision | null;
  readonly policyDigest: string | null;
  /** Digest of the canonical PolicyInput. */
  readonly inputDigest: string | null;
  /** Refers to facts.described; null where there are none. */
  readonly factsDigest: string | null;
  /** Refers to session.opened. */
  readonly sessionDigest: string;
  /** PolicyInput.time. */
  readonly decidedAt: number;
  /** PolicyInput.approval. */
  readonly approval: ApprovalFact | null;
  /** Salted commitment to the submitted text and parameters. */
  readonly submitted: string;
  /** Salted commitment to the text that runs; null where nothing runs. */
  readonly running: string | null;
}

export interface ActionCompleted {
  readonly action: string;
  readonly session: string;
  readonly ordinal: number;
  readonly transaction: { readonly id: string; readonly ordinal: number } | null;
  /** `refused`: stopped by the gateway after the decision; `unknown`: the target's answer was lost. */
  readonly status: 'succeeded' | 'failed' | 'refused' | 'unknown';
  /** Code of libs/errors, null on success. */
  readonly error: string | null;
  /** SQLSTATE of the target's error, null otherwise. */
  readonly sqlstate: string | null;
  /** Rows released or affected. */
  readonly rows: number;
  /** Bytes of released values. */
  readonly bytes: number;
  /** Salted commitment to the released result; null where nothing was released. */
  readonly released: string | null;
  readonly durationMicroseconds: number;
}

/** What each event type carries. Types are versioned by their last part. */
export interface EventData {
  'countersign.epoch.opened.v1': {
    /** PEM (SPKI) of this epoch's Ed25519 key. */
    readonly publicKey: string;
    /** PEM of the instance's certificate, issued by the deployment's CA. */
    readonly certificate: string;
    /** Base64 Ed25519 signature by the instance key over `epochStatement(epoch, publicKey)` (libs/ledger). */
    readonly proof: string;
    /** Head of this instance's previous epoch; null for its first. */
    readonly previous: { readonly epoch: string; readonly seq: string; readonly hash: string } | null;
  };
  'countersign.session.opened.v1': {
    readonly claims: SessionClaims;
    /** Digest of the canonical claims. */
    readonly digest: string;
    /** JWT `exp`, seconds. */
    readonly tokenExpiresAt: number;
    readonly transport: 'tls' | 'loopback' | 'unix';
  };
  'countersign.session.refused.v1': {
    /** Null where the peer named none that is configured. */
    readonly target: string | null;
    /** Null where the token was not verified. */
    readonly agent: string | null;
    readonly code: string;
    /** Refusals of this kind that this event stands for; more than 1 only under a flood. */
    readonly count: number;
  };
  'countersign.session.ended.v1': {
    readonly session: string;
    readonly reason: 'client' | 'error' | 'token-expired' | 'grant-ended' | 'shutdown' | 'target-lost';
    readonly actions: number;
  };
  'countersign.facts.described.v1': { readonly digest: string; readonly facts: Facts };
  'countersign.action.decided.v1': ActionDecided;
  'countersign.action.completed.v1': ActionCompleted;
  'countersign.transaction.ended.v1': {
    readonly transaction: string;
    readonly session: string;
    readonly result: 'committed' | 'rolled-back' | 'unknown';
    readonly actions: number;
  };
  /** First event after a time in which nothing could be recorded. */
  'countersign.recording.resumed.v1': { readonly refusals: number; readonly since: string };

  'countersign.policy.activated.v1': {
    readonly policyDigest: string;
    /** Digest of the compiled bundle's bytes. */
    readonly bundleDigest: string;
    readonly previous: string | null;
  };
  'countersign.masking.activated.v1': {
    readonly target: string;
    readonly contextDigest: string;
    readonly labelsDigest: string;
    readonly relations: number;
  };

  'countersign.principal.enrolled.v1': {
    readonly principal: string;
    readonly kind: 'agent' | 'person';
    readonly roles: readonly string[];
    /** RFC 7638 thumbprint of the public key. */
    readonly keyThumbprint: string;
    readonly by: string;
  };
  'countersign.principal.key-rotated.v1': {
    readonly principal: string;
    readonly kind: 'agent' | 'person';
    /** RFC 7638 thumbprint of the new public key. */
    readonly keyThumbprint: string;
    readonly previousKeyThumbprint: string;
    readonly by: string;
  };
  'countersign.principal.disabled.v1': {
    readonly principal: string;
    readonly kind: 'agent' | 'person';
    readonly by: string;
  };
  'countersign.token.issued.v1': {
    readonly principal: string;
    readonly kind: 'agent' | 'person';
    readonly audience: string;
    readonly grant: string | null;
    readonly role: string | null;
    readonly tokenId: string;
    readonly expiresAt: number;
  };
  'countersign.token.refused.v1': {
    /** Null where no enrolled principal proved a key. */
    readonly principal: string | null;
    readonly code: string;
    readonly count: number;
  };
  'countersign.grant.requested.v1': GrantTerms & { readonly grant: string; readonly by: string };
  'countersign.grant.activated.v1': {
    readonly grant: string;
    readonly by: string;
    readonly agent: string;
    readonly target: string;
  };
  'countersign.grant.revoked.v1': {
    readonly grant: string;
    readonly by: string;
    readonly agent: string;
    readonly target: string;
  };
  'countersign.grant.expired.v1': { readonly grant: string; readonly agent: string; readonly target: string };
  'countersign.approval.requested.v1': {
    readonly approval: string;
    readonly action: string;
    readonly session: string;
    readonly agent: string;
    readonly onBehalfOf: string;
    readonly grant: string;
    readonly role: string;
    readonly target: string;
    /** Salted commitment to the canonical ApprovalBinding. */
    readonly binding: string;
    readonly policyDigest: string;
    readonly profile: string;
    readonly rules: readonly string[];
    readonly expiresAt: number;
  };
  'countersign.approval.approved.v1': {
    readonly approval: string;
    readonly approver: string;
    readonly decidedAt: number;
    /** Seconds since 1970: until then it may be used. The time of the request was for answering it. */
    readonly expiresAt: number;
  };
  'countersign.approval.denied.v1': {
    readonly approval: string;
    readonly approver: string;
    readonly decidedAt: number;
  };
  'countersign.approval.expired.v1': { readonly approval: string };
  'countersign.approval.consumed.v1': { readonly approval: string; readonly action: string };
  /** Somebody tried to answer who may not. */
  'countersign.approval.refused.v1': {
    readonly approval: string;
    readonly principal: string;
    readonly kind: 'agent' | 'person';
    readonly code: string;
  };
  /** Somebody looked at the exact statement. */
  'countersign.approval.shown.v1': { readonly approval: string; readonly principal: string };

  /** Somebody read evidence. */
  'countersign.evidence.read.v1': {
    readonly principal: string | null;
    readonly resource: string;
    readonly status: number;
    /** Readings of this kind that this event stands for; more than 1 only for tiles and under a flood. */
    readonly count: number;
  };
  /** The fold found something wrong: announced once, for whoever watches the stream, and never folded again. */
  'countersign.evidence.finding.v1': {
    /** Its name in libs/controls, `fork`. */
    readonly finding: string;
    /** Id of the evidence record. */
    readonly record: string;
    /** Leaf that it is about. */
    readonly index: number;
    /** Ids of the controls that it touches, sorted. */
    readonly controls: readonly string[];
    readonly summary: string;
  };
}

export interface GrantTerms {
  readonly agent: string;
  readonly onBehalfOf: string;
  readonly target: string;
  readonly role: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

export type EventType = keyof EventData;

/**
 * The service that owns a kind of event, by the word after `countersign.` in its type. Kinds that are not here, a
 * producer's own chain and recording, are every service's: nobody else may say what a service alone can know.
 */
const owners: ReadonlyMap<string, ServiceName> = new Map([
  ['session', 'ingress-proxy'],
  ['facts', 'ingress-proxy'],
  ['action', 'ingress-proxy'],
  ['transaction', 'ingress-proxy'],
  ['policy', 'policy'],
  ['masking', 'masking'],
  ['principal', 'approval'],
  ['token', 'approval'],
  ['grant', 'approval'],
  ['approval', 'approval'],
  ['evidence', 'evidence'],
]);

/** Whether an event of this type may come from this source, `/<service>/<instance>`. */
export function mayPublish(source: string, type: string): boolean {
  const owner = owners.get(type.split('.')[1] ?? '');
  return owner === undefined || owner === source.split('/')[1];
}
