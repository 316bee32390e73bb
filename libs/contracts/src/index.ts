export { canonicalJson, commitmentOf, type Digest, digestOf, digestOfJson } from './canonical.js';
export type {
  ApprovalBinding,
  ApprovalFact,
  Decision,
  Obligations,
  PolicyInput,
  SessionClaims,
  Verdict,
} from './decision.js';
export {
  type ActionCompleted,
  type ActionDecided,
  type EventData,
  type EventEnvelope,
  type EventType,
  type GrantTerms,
  type Mode,
  mayPublish,
  type Origin,
  type ServiceName,
  type Stage,
  type Topic,
  topics,
} from './events.js';
export {
  type Facts,
  type LabelFact,
  type ObjectFact,
  opaqueFacts,
  type Protocol,
  type Risk,
  risks,
  type Verb,
  verbs,
} from './facts.js';
export * as approvalRpc from './generated/countersign/approval/v1/approval.js';
export * as maskingRpc from './generated/countersign/masking/v1/masking.js';
export * as policyRpc from './generated/countersign/policy/v1/policy.js';
export * as channelRpc from './generated/countersign/rpc/v1/rpc.js';
export type { Operation, ReleasePlan, ReleaseStrategy, RequestShape } from './operations.js';
