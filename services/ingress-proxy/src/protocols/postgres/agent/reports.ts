import { type CountersignError, catalogue } from '@countersign/errors';
import type { ReportFields, TargetReport } from '../codec/index.js';
import { sentenceOf } from './sqlstates.js';

/** An error of the catalogue as an agent reads it. */
export function reportOf(
  error: CountersignError,
  options: {
    readonly fatal?: boolean;
    readonly action?: string;
    readonly rules?: readonly string[];
    /** SQLSTATE where it says more than the catalogue's. */
    readonly sqlstate?: string | null;
  } = {},
): ReportFields {
  const { action, rules = [] } = options;
  const detail = [
    `Code ${error.code}.`,
    ...(rules.length === 0 ? [] : [`Rules: ${rules.join(', ')}.`]),
    ...(action === undefined ? [] : [`Action ${action}.`]),
  ];
  return {
    severity: options.fatal === true ? 'FATAL' : 'ERROR',
    sqlstate: options.sqlstate ?? error.entry.sqlstate,
    message: error.message,
    detail: detail.join(' '),
    hint: error.next,
    code: error.code,
  };
}

/**
 * A target's error without anything that it may have taken from rows: its SQLSTATE, a sentence for that, and names only
 * where the agent's own statement is known to touch what they name.
 */
export function scrubbed(
  report: TargetReport,
  knownNames: ReadonlySet<string>,
  action: string,
): ReportFields {
  const table = `${report.schema}.${report.table}`;
  const isTable = report.schema !== null && report.table !== null && knownNames.has(table);
  const isColumn = isTable && report.column !== null && knownNames.has(`${table}.${report.column}`);
  return {
    severity: 'ERROR',
    sqlstate: report.sqlstate,
    message: sentenceOf(report.sqlstate),
    detail: `Code target.failed. Action ${action}.`,
    hint: catalogue['target.failed'].next,
    schema: isTable ? (report.schema ?? undefined) : undefined,
    table: isTable ? (report.table ?? undefined) : undefined,
    column: isColumn ? (report.column ?? undefined) : undefined,
    code: 'target.failed',
  };
}

/** What an agent hears while its action waits for a human. */
export function waitingNotice(approval: string): ReportFields {
  return {
    severity: 'NOTICE',
    sqlstate: '00000',
    message: `The action waits for approval ${approval}.`,
    hint: 'It runs on this connection once another person approves it; or submit it again later.',
    code: 'approval.pending',
  };
}
