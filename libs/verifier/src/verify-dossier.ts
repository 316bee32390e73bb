import { composeReport } from './compose-report.js';
import { DossierError, readDossier } from './dossier/index.js';
import { LocalPolicyRunner, type PolicyRunner } from './policy/index.js';
import { Findings, type VerificationReport } from './report/index.js';
import { type Progress, Verification } from './verification.js';

export interface VerifyOptions {
  /** Fingerprints, `sha256:…` of the SubjectPublicKeyInfo, of authorities or checkpoint keys that the auditor trusts. */
  readonly trust: readonly string[];
  /** Runs the policies of the dossier; without one they run in this thread, without a bound on their time. */
  readonly runner?: PolicyRunner;
  /** Called at the manifest and every thousand lines. */
  readonly onProgress?: (progress: Progress) => void;
}

/**
 * Verifies a dossier from its lines, in one pass: memory grows by about a hundred bytes an event and by what is open.
 * Never rejects for what the dossier holds; rejects with what reading the lines rejects with, other than a DossierError.
 */
export async function verifyDossier(
  lines: AsyncIterable<string> | Iterable<string>,
  { trust, runner = new LocalPolicyRunner(), onProgress }: VerifyOptions,
): Promise<VerificationReport> {
  const findings = new Findings();
  let verification: Verification | null = null;
  try {
    for await (const numbered of readDossier(lines)) {
      if (numbered.line.kind === 'manifest')
        verification = new Verification(numbered.line, trust, runner, findings);
      else await verification?.add(numbered);
      if (verification !== null && onProgress !== undefined) verification.report(numbered, onProgress);
    }
    await verification?.finish();
  } catch (error) {
    if (!(error instanceof DossierError)) throw error;
    findings.add(
      'form.unreadable',
      { line: error.line },
      `Line ${error.line} cannot be read, and nothing after it was looked at. ${error.message}`,
    );
  }
  return composeReport(verification, trust, findings);
}
