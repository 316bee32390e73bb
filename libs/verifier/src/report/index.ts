export {
  type CheckId,
  checkIds,
  type Finding,
  type FindingCode,
  type FindingKind,
  findingKinds,
  type Severity,
  type SignedBatch,
  type Where,
} from './finding.js';
export { Findings } from './findings.js';
export {
  type Check,
  type DossierSummary,
  exitCodes,
  outOfReach,
  type TrustReport,
  type Verdict,
  type VerificationReport,
} from './report.js';
