import type { CheckId, Finding } from './finding.js';

/**
 * - authentic: everything fits, every trusted fingerprint is of one of its keys, and they vouch for all of it
 * - consistent: everything fits, but not every trusted fingerprint is of one of its keys, or they do not vouch for all of it
 * - tampered: something is not what it claims to be
 * - unreadable: it is no dossier that this verifier can read to its end
 */
export type Verdict = 'authentic' | 'consistent' | 'tampered' | 'unreadable';

/** Exit codes of `countersign verify`. 1 stays free for failures of the command itself, 2 for its usage. */
export const exitCodes: Readonly<Record<Verdict, number>> = {
  authentic: 0,
  consistent: 3,
  tampered: 4,
  unreadable: 5,
};

/** One thing that was examined, and how it went. */
export interface Check {
  readonly id: CheckId;
  /** `skipped`: nothing of it could be examined; `partial`: not all; the notes say why. */
  readonly state: 'passed' | 'failed' | 'partial' | 'skipped';
  /** What was examined, in one sentence with its counts. */
  readonly examined: string;
  /** What was not examined, and why. */
  readonly notes: readonly string[];
}

export interface TrustReport {
  readonly given: readonly string[];
  readonly matched: readonly { readonly fingerprint: string; readonly as: 'authority' | 'checkpoint-key' }[];
  readonly unmatched: readonly string[];
}

export interface DossierSummary {
  readonly origin: string;
  readonly treeSize: number;
  readonly createdAt: string;
  readonly foldVersion: string;
  /** `sha256:…` of the public keys; null where they cannot be read. */
  readonly authorityFingerprint: string | null;
  readonly checkpointKeyFingerprint: string | null;
  /** Base64 root of the last checkpoint whose signature is right. */
  readonly root: string | null;
  readonly lines: number;
  readonly events: number;
  readonly records: number;
  readonly producers: number;
  readonly epochs: number;
  readonly decisions: number;
}

export interface VerificationReport {
  readonly format: 'countersign-verification/1';
  readonly verdict: Verdict;
  /** The verdict in a sentence. */
  readonly sentence: string;
  readonly trust: TrustReport;
  /** Null where not even the manifest could be read. */
  readonly dossier: DossierSummary | null;
  readonly checks: readonly Check[];
  readonly findings: readonly Finding[];
  /** Findings beyond those listed: of each code only the first hundred are. */
  readonly furtherFindings: number;
  /** What no dossier can show. */
  readonly outOfReach: readonly string[];
}

/** What no dossier can show, however sound it is. */
export const outOfReach: readonly string[] = [
  'Whether the gateway told the truth about an action: the policy is run again on the recorded facts, which the gateway wrote itself.',
  'Whether something was done around the gateway: that is found by comparing these events with the target’s own log.',
  'Whether statements, results and persons are what the recorded commitments and ids stand for: that needs them opened by whoever holds the salts.',
  'What happened after the last checkpoint.',
];
