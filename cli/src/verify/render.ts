import type { Check, CheckId, Finding, Verdict, VerificationReport, Where } from '@countersign/verifier';

type Formatter = (text: string) => string;

/** The colours in which a report is shown. */
export interface Palette {
  readonly bold: Formatter;
  readonly dim: Formatter;
  readonly green: Formatter;
  readonly yellow: Formatter;
  readonly red: Formatter;
}

const titles: Readonly<Record<CheckId, string>> = {
  form: 'Form',
  trust: 'Keys',
  checkpoints: 'Checkpoints',
  tree: 'Evidence log',
  leaves: 'Events in the log',
  producers: 'Who wrote the events',
  chains: 'Completeness',
  signatures: 'Signatures',
  policy: 'Decisions',
  records: 'Evidence records',
};

const states: Readonly<Record<Check['state'], string>> = {
  passed: 'fits',
  partial: 'fits in part',
  failed: 'DOES NOT FIT',
  skipped: 'not checked',
};

/** Findings shown in full; the JSON report holds more. */
const MOST_FINDINGS = 20;

/** A report for people: the verdict, what was checked, what is wrong and where, what was not checked and why. */
export function renderReport(report: VerificationReport, palette: Palette): string {
  const { dossier } = report;
  return [
    `${colourOf(report.verdict, palette)(palette.bold(report.verdict.toUpperCase()))}  ${report.sentence}`,
    '',
    ...(dossier === null
      ? []
      : [
          `Log           ${dossier.origin}`,
          `Leaves        ${dossier.treeSize.toLocaleString('en-US')}${dossier.root === null ? '' : `, root ${dossier.root}`}`,
          `Authority     ${dossier.authorityFingerprint ?? 'unreadable'}`,
          `Checkpoint by ${dossier.checkpointKeyFingerprint ?? 'unreadable'}`,
          '',
        ]),
    ...renderChecks(report.checks, palette),
    ...renderFindings(report, palette),
    palette.bold('What no dossier can show'),
    ...report.outOfReach.map((sentence) => `  - ${sentence}`),
    '',
  ].join('\n');
}

function renderChecks(checks: readonly Check[], palette: Palette): readonly string[] {
  if (checks.length === 0) return [];
  const colours = {
    passed: palette.green,
    partial: palette.yellow,
    failed: palette.red,
    skipped: palette.dim,
  };
  return [
    palette.bold('What was checked'),
    ...checks.flatMap(({ id, state, examined, notes }) => [
      `  ${colours[state](states[state].padEnd(13))} ${titles[id].padEnd(21)} ${examined}`,
      ...notes.map((note) => palette.dim(`  ${''.padEnd(36)}Not checked: ${note}`)),
    ]),
    '',
  ];
}

function renderFindings(
  { findings, furtherFindings }: VerificationReport,
  palette: Palette,
): readonly string[] {
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return [];
  const more = errors.length - MOST_FINDINGS + furtherFindings;
  return [
    palette.bold('What is wrong'),
    ...errors.slice(0, MOST_FINDINGS).flatMap((finding) => renderFinding(finding, palette)),
    ...(more > 0 ? [palette.dim(`  … and ${more.toLocaleString('en-US')} more; see --json.`)] : []),
    '',
  ];
}

function renderFinding({ code, sentence, where }: Finding, palette: Palette): readonly string[] {
  const place = placeOf(where);
  return [`  ${palette.red(code)}  ${sentence}`, ...(place === '' ? [] : [palette.dim(`      ${place}`)])];
}

function placeOf({ line, index, id, type, producer, epoch, seq, batch, leaves, record }: Where): string {
  return [
    line === undefined ? '' : `line ${line}`,
    index === undefined ? '' : `event index ${index}`,
    id === undefined ? '' : `id ${id}`,
    type === undefined ? '' : type,
    producer === undefined ? '' : `producer ${producer}`,
    epoch === undefined ? '' : `epoch ${epoch}`,
    seq === undefined || batch !== undefined ? '' : `sequence number ${seq}`,
    batch === undefined ? '' : `signed batch ${batch.fromSeq} to ${batch.toSeq}`,
    leaves === undefined ? '' : `leaves ${leaves.from} to ${leaves.to}`,
    record === undefined ? '' : `record ${record}`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}

function colourOf(verdict: Verdict, palette: Palette): Formatter {
  if (verdict === 'authentic') return palette.green;
  return verdict === 'consistent' ? palette.yellow : palette.red;
}
