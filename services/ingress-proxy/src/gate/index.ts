export {
  type ActionPort,
  type Analysable,
  type Answer,
  cancellationOf,
  type Release,
  type Request,
  type Running,
  type RunReport,
  type Statement,
  type Submitted,
  type SuspendedAction,
  type TransactionStanding,
  type Value,
} from './action.js';
export {
  ApprovalClient,
  type ApprovalRpc,
  answerOf,
  MaskingClient,
  type MaskingRpc,
  PolicyClient,
  type PolicyRpc,
} from './clients/index.js';
export {
  bytesOfSubmitted,
  commitToRunning,
  commitToSubmitted,
  saltOf,
  textOfStatement,
} from './commitments.js';
export { completedEvent, stoppedOutcome, systemDecidedEvent, transactionEvent } from './events.js';
export type { Explanation, LastDecision } from './explanation.js';
export { Gate } from './gate.driver.js';
export type { GateObserver, GateOptions, GatePorts } from './journey.js';
export { canonicalClaims } from './policy-input.js';
export type {
  AnyDraft,
  ApprovalPort,
  ClockPort,
  Decided,
  DecisionQuestion,
  GrantPort,
  GrantStanding,
  Held,
  HeldStatus,
  HoldQuestion,
  Inspected,
  MaskingPort,
  PolicyPort,
  RecorderPort,
  RewriteResult,
  Rewritten,
} from './ports.js';
export type { GateSession } from './session.js';
