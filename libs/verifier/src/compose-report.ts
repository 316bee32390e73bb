import {
  type Check,
  type CheckId,
  checkIds,
  type DossierSummary,
  type Findings,
  outOfReach,
  type TrustReport,
  type Verdict,
  type VerificationReport,
} from './report/index.js';
import type { Verification } from './verification.js';

/** The report of a verification; `verification` is null where not even the manifest could be read. */
export function composeReport(
  verification: Verification | null,
  trusted: readonly string[],
  findings: Findings,
): VerificationReport {
  const trust = verification?.trust.report ?? { given: trusted, matched: [], unmatched: trusted };
  const verdict = verdictOf(findings, trust, verification?.chains.openEvents ?? 0);
  return {
    format: 'countersign-verification/1',
    verdict,
    sentence: sentenceOf(verdict, trust, findings, verification),
    trust,
    dossier: verification === null ? null : summaryOf(verification),
    checks: verification === null ? [] : checksOf(verification, findings),
    findings: findings.kept.toSorted(
      (left, right) => rankOf(left) - rankOf(right) || placeOf(left.where) - placeOf(right.where),
    ),
    furtherFindings: findings.uncounted,
    outOfReach,
  };
}

/** Findings that say: this verifier cannot read it, which is no proof that somebody changed it. */
const UNREADABLE = ['form.unreadable', 'form.unknown-fold'];

/**
 * Every fingerprint that was given must be of a key of the dossier: who gives one expects it to vouch.
 * @param open events that no producer signed: only who trusts the checkpoint key has somebody's word for them
 */
function verdictOf(findings: Findings, trust: TrustReport, open: number): Verdict {
  const errors = findings.kept.filter(({ severity }) => severity === 'error');
  if (errors.some(({ code }) => !UNREADABLE.includes(code))) return 'tampered';
  if (errors.length > 0) return 'unreadable';
  const vouched = open === 0 ? trust.matched : trust.matched.filter(({ as }) => as === 'checkpoint-key');
  return vouched.length > 0 && trust.unmatched.length === 0 ? 'authentic' : 'consistent';
}

function sentenceOf(
  verdict: Verdict,
  trust: TrustReport,
  findings: Findings,
  verification: Verification | null,
): string {
  const open = counted(verification?.chains.openEvents ?? 0, 'event');
  const isOpen = verification !== null && verification.chains.openEvents > 0;
  if (verdict === 'authentic') {
    const through = trust.matched.some(({ as }) => as === 'authority')
      ? 'certificate authority'
      : 'checkpoint key';
    return `The dossier is authentic: everything that was checked fits, and the ${through} is the one that you trust.${isOpen ? ` For the last ${open}, which no producer has signed yet, the checkpoint key vouches.` : ''}`;
  }
  if (verdict === 'consistent' && trust.unmatched.length > 0)
    return `The dossier is consistent, but it was not made with every key that you trust: ${trust.unmatched.join(' and ')} ${trust.unmatched.length === 1 ? 'is' : 'are'} of no key in it. Compare what you gave with its source; it is authentic only if every fingerprint fits.`;
  if (verdict === 'consistent' && trust.matched.length > 0)
    return `The dossier is consistent, and the certificate authority is the one that you trust; but no producer has signed the last ${open} yet. They are authentic only if you trust the checkpoint key too: give its fingerprint, obtained by another way.`;
  if (verdict === 'consistent')
    return 'The dossier is consistent in itself, but nothing outside it vouches for it: whoever made all of its keys could have made all of it. Give the fingerprint of the authority or of the checkpoint key, obtained by another way, to know that it is authentic.';
  if (verdict === 'tampered' && onlyOtherKeys(findings))
    return `The dossier was not made with the ${trust.given.length === 1 ? 'key' : 'keys'} that you trust. A mistyped fingerprint gives this, and so does a dossier of another deployment: compare ${trust.unmatched.join(' and ')} with its source. If it is right and of this deployment, everything was signed anew by somebody else: do not rely on it.`;
  if (verdict === 'tampered') {
    const errors = findings.count({ severity: 'error' });
    return `The dossier is not what it claims to be: ${counted(errors, 'finding')}. Do not rely on it.`;
  }
  return 'The dossier cannot be read to its end by this verifier, so nothing is said of its content.';
}

/** Whether everything fits but for the keys, which is no sign that anything was changed. */
function onlyOtherKeys(findings: Findings): boolean {
  const errors = findings.kept.filter(({ severity }) => severity === 'error');
  return errors.every(({ code }) => code === 'trust.other-keys');
}

function summaryOf(verification: Verification): DossierSummary {
  const { manifest, trust, tree, chains, policies } = verification;
  const { producers, epochs } = chains.totals;
  return {
    origin: manifest.origin,
    treeSize: manifest.treeSize,
    createdAt: manifest.createdAt,
    foldVersion: manifest.foldVersion,
    authorityFingerprint: trust.authorityFingerprint,
    checkpointKeyFingerprint: trust.checkpointKeyFingerprint,
    root: tree.root,
    lines: verification.lines,
    events: verification.events,
    records: verification.recordLines,
    producers,
    epochs,
    decisions: policies.rerun + policies.unasked,
  };
}

interface Examined {
  readonly examined: string;
  /** Whether there was anything to examine. */
  readonly any: boolean;
  readonly notes?: readonly string[];
}

function checksOf(verification: Verification, findings: Findings): readonly Check[] {
  const examined = examinedBy(verification);
  return checkIds.map((id) => {
    const { any, examined: sentence, notes = [] } = examined[id];
    const warnings = findings.kept.filter(({ check, severity }) => check === id && severity === 'warning');
    const unfinished = verification.finished || id === 'form' || id === 'trust' ? [] : [UNFINISHED];
    const all = [...notes, ...warnings.map((warning) => warning.sentence), ...unfinished];
    const failed = findings.count({ check: id, severity: 'error' }) > 0;
    const state = failed ? 'failed' : !any ? 'skipped' : all.length > 0 ? 'partial' : 'passed';
    return { id, state, examined: sentence, notes: all };
  });
}

const UNFINISHED = 'Only as far as the dossier could be read.';

function examinedBy(verification: Verification): Readonly<Record<CheckId, Examined>> {
  const { manifest, tree, chains, policies, records, trust, events } = verification;
  const { producers, epochs, untrusted, signatures } = chains.totals;
  const through = trust.report.matched.map(({ as }) =>
    as === 'authority' ? 'the authority' : 'the checkpoint key',
  );
  return {
    form: {
      examined: `${counted(verification.lines, 'line')} in their order, to the end that counts them.`,
      any: true,
    },
    trust: {
      examined:
        through.length > 0
          ? `A fingerprint that you trust is that of ${through.join(' and of ')}; the authority certified the checkpoint key.`
          : 'The authority certified the checkpoint key.',
      any: true,
      notes: trustNotes(trust.report),
    },
    checkpoints: {
      examined: `The signature and order of ${counted(tree.checkpointLines, 'checkpoint')}.`,
      any: tree.checkpointLines > 0,
    },
    tree: {
      examined: `${counted(tree.leafHashes.length, 'leaf hash', 'leaf hashes')} against the root of every checkpoint: each checkpoint continues the one before.`,
      any: tree.checkpointLines > 0,
    },
    leaves: {
      examined: `${counted(events, 'event')} against the retained leaf hashes, byte for byte and in their order.`,
      any: events > 0 || manifest.treeSize === 0,
    },
    producers: {
      examined: `${counted(epochs, 'epoch')} of ${counted(producers, 'producer')}: each key proved by an instance that the authority certified.`,
      any: epochs > 0,
      notes: untrusted > 0 ? [`${counted(untrusted, 'epoch')} without a proved key.`] : [],
    },
    chains: {
      examined: `The numbering and hash chain of ${counted(epochs, 'epoch')}, and how each continues the one before.`,
      any: epochs > 0,
    },
    signatures: {
      examined: `${counted(signatures, 'signature')} of producers over their batches.`,
      any: signatures > 0,
    },
    policy: {
      examined: `${counted(policies.rerun, 'decision')} made again by the policy on the recorded input.`,
      any: policies.rerun > 0,
      notes:
        policies.unasked > 0
          ? [
              `${counted(policies.unasked, 'action')} on which policy was not asked: the gateway’s own, and what was refused before.`,
            ]
          : [],
    },
    records: {
      examined: `${counted(verification.recordLines, 'record')} against the ${records.expected} that the events give, byte for byte.`,
      any: records.known && verification.finished,
    },
  };
}

function trustNotes({ given, matched, unmatched }: TrustReport): readonly string[] {
  if (given.length === 0)
    return ['No trusted fingerprint was given, so the keys were compared with nothing outside the dossier.'];
  const notes = unmatched.map(
    (fingerprint) => `The trusted fingerprint ${fingerprint} is of no key in this dossier.`,
  );
  if (matched.length > 0 && matched.every(({ as }) => as === 'checkpoint-key'))
    notes.push(
      'The authority itself is not trusted: the checkpoint key vouches for what was logged, producers included.',
    );
  return notes;
}

/** Records rest on events: what is wrong with them follows from what is wrong with those, and comes last. */
function rankOf({ check }: VerificationReport['findings'][number]): number {
  return check === 'records' ? 1 : 0;
}

/** Findings about a place come in the order of the dossier; those about none come first. */
function placeOf({ index, leaves, line }: VerificationReport['findings'][number]['where']): number {
  return index ?? leaves?.from ?? (line === undefined ? -1 : -0.5);
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}
