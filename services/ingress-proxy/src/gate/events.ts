import type { ActionCompleted, ActionDecided, Facts, Obligations } from '@countersign/contracts';
import type { RunReport, Submitted } from './action.js';
import { bytesOfRunning, commitToRunning, commitToSubmitted } from './commitments.js';
import type { ActionState, Finding } from './machine.js';
import type { AnyDraft } from './ports.js';
import type { GateSession } from './session.js';
import type { EndedTransaction, TransactionPlace } from './transaction.js';

/** One action within its session. */
export interface ActionIdentity {
  readonly id: string;
  readonly ordinal: number;
}

/** The event of a decision, refusals included. */
export function decidedEvent(
  session: GateSession,
  action: ActionIdentity,
  submitted: Submitted,
  state: ActionState,
  finding: Finding,
  place: TransactionPlace,
  runs: boolean,
  now: number,
): AnyDraft {
  const { inspected, decided, rewritten } = state;
  const { claims } = session;
  const data: ActionDecided = {
    action: action.id,
    session: claims.session,
    ordinal: action.ordinal,
    target: claims.target,
    agent: claims.agent,
    onBehalfOf: claims.onBehalfOf,
    role: claims.role,
    grant: claims.grant,
    transaction: place,
    ...summaryOf(inspected?.facts ?? null),
    verdict: finding.verdict,
    stage: finding.stage,
    refusal: finding.refusal?.code ?? null,
    decision: decided?.decision ?? null,
    policyDigest: decided?.policyDigest ?? null,
    inputDigest: decided?.inputDigest ?? null,
    factsDigest: inspected?.factsDigest ?? null,
    sessionDigest: session.digest,
    decidedAt: decided?.time ?? now,
    approval: decided === null ? null : state.approval,
    submitted: commitToSubmitted(session.secret, action.id, submitted),
    running:
      runs && rewritten !== null && submitted.kind !== 'unanalysable'
        ? commitToRunning(session.secret, action.id, bytesOfRunning(submitted, rewritten.text))
        : null,
  };
  return {
    type: 'countersign.action.decided.v1',
    correlationid: claims.session,
    origin: session.origin,
    data,
  };
}

/** The event of something that the gateway itself asks a target. */
export function systemDecidedEvent(
  session: GateSession,
  action: ActionIdentity,
  submitted: Submitted,
  running: string,
  now: number,
): AnyDraft {
  const { claims } = session;
  const data: ActionDecided = {
    action: action.id,
    session: claims.session,
    ordinal: action.ordinal,
    target: claims.target,
    agent: claims.agent,
    onBehalfOf: claims.onBehalfOf,
    role: claims.role,
    grant: claims.grant,
    transaction: null,
    ...summaryOf(null),
    verdict: 'allow',
    stage: 'gate',
    refusal: null,
    decision: null,
    policyDigest: null,
    inputDigest: null,
    factsDigest: null,
    sessionDigest: session.digest,
    decidedAt: now,
    approval: null,
    submitted: commitToSubmitted(session.secret, action.id, submitted),
    running: commitToRunning(session.secret, action.id, running),
  };
  return { type: 'countersign.action.decided.v1', correlationid: claims.session, origin: 'system', data };
}

export interface Outcome extends Pick<RunReport, 'status' | 'error' | 'sqlstate' | 'rows'> {
  readonly bytes: number;
  readonly released: string | null;
  readonly durationMicroseconds: number;
}

export function completedEvent(
  session: GateSession,
  action: ActionIdentity,
  place: TransactionPlace,
  outcome: Outcome,
): AnyDraft {
  const data: ActionCompleted = {
    action: action.id,
    session: session.claims.session,
    ordinal: action.ordinal,
    transaction: place,
    status: outcome.status,
    error: outcome.error,
    sqlstate: outcome.sqlstate,
    rows: outcome.rows,
    bytes: outcome.bytes,
    released: outcome.released,
    durationMicroseconds: outcome.durationMicroseconds,
  };
  return {
    type: 'countersign.action.completed.v1',
    correlationid: session.claims.session,
    origin: session.origin,
    data,
  };
}

/** The outcome of what was decided to run and did not. */
export function stoppedOutcome(error: Outcome['error'], durationMicroseconds: number): Outcome {
  return {
    status: 'refused',
    error,
    sqlstate: null,
    rows: 0,
    bytes: 0,
    released: null,
    durationMicroseconds,
  };
}

export function transactionEvent(session: GateSession, ended: EndedTransaction): AnyDraft {
  return {
    type: 'countersign.transaction.ended.v1',
    correlationid: session.claims.session,
    origin: session.origin,
    data: {
      transaction: ended.id,
      session: session.claims.session,
      result: ended.result,
      actions: ended.actions,
    },
  };
}

export function factsEvent(session: GateSession, digest: string, facts: Facts): AnyDraft {
  return {
    type: 'countersign.facts.described.v1',
    correlationid: session.claims.session,
    origin: session.origin,
    data: { digest, facts },
  };
}

/** What stands in line in a decision, for whoever filters the stream. */
function summaryOf(facts: Facts | null): Pick<ActionDecided, 'verbs' | 'objects' | 'labels' | 'risks'> {
  if (facts === null) return { verbs: [], objects: [], labels: [], risks: [] };
  return {
    verbs: facts.verbs,
    objects: facts.objects.map((object) => object.name),
    labels: [...new Set(facts.labels.map((fact) => fact.label))].sort(),
    risks: facts.risks,
  };
}

/** Names that an agent may hear again in an error: those that its own statement is known to touch. */
export function knownNames(facts: Facts): ReadonlySet<string> {
  return new Set([...facts.objects.map((object) => object.name), ...facts.labels.map((fact) => fact.column)]);
}

export function limitsOf(
  obligations: Obligations | null,
): Pick<Obligations, 'rowLimit' | 'timeLimitSeconds'> {
  return { rowLimit: obligations?.rowLimit ?? null, timeLimitSeconds: obligations?.timeLimitSeconds ?? null };
}
