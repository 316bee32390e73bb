import type { LastDecision, Statement } from '../../../gate/index.js';
import { type Column, type Format, TEXT_TYPE, toClient } from '../codec/index.js';
import { AnswerHead, type OutputPart } from './answer-head.js';

/** What an agent asks of the gateway itself, in the words of the target's language. */
export type Question =
  | { readonly kind: 'last-decision' }
  /** What would become of `text`. */
  | { readonly kind: 'explain'; readonly text: string };

export interface AskingManner {
  /** In the order of the agent's messages. */
  readonly parts: readonly OutputPart[];
  readonly resultFormats: readonly Format[];
}

export type LocalRow = readonly (string | null)[];

const LAST_DECISION = /^\s*SHOW\s+countersign\.last_decision\s*;?\s*$/i;
const EXPLAIN = /^\s*EXPLAIN\s*\(\s*COUNTERSIGN\s*\)\s+(?=\S)/i;

/** Null where the text is for the target. Neither question means anything to a PostgreSQL. */
export function questionOf(text: string): Question | null {
  if (LAST_DECISION.test(text)) return { kind: 'last-decision' };
  const head = EXPLAIN.exec(text)?.[0];
  return head === undefined ? null : { kind: 'explain', text: text.slice(head.length) };
}

const JSON_TYPE = 114;
const NAMES = ['action', 'verdict', 'stage', 'rules', 'labels', 'code', 'hint'] as const;

/** No row before the first action. */
export function lastDecisionRows(last: LastDecision | undefined): readonly LocalRow[] {
  if (last === undefined) return [];
  const { action, verdict, stage, rules, labels, code, hint } = last;
  return [[action, verdict, stage, rules.join(', '), labels.join(', '), code, hint]];
}

function columnsOf(question: Question): readonly Column[] {
  const column = { table: 0, attribute: 0, typeLength: -1, modifier: -1, format: 0 } as const;
  if (question.kind === 'explain') return [{ ...column, name: 'countersign', type: JSON_TYPE }];
  return NAMES.map((name) => ({ ...column, name, type: TEXT_TYPE }));
}

/** The answer as a target would give it. Text and JSON are the same bytes in both forms. */
export function localAnswer(
  question: Question,
  rows: readonly LocalRow[],
  statement: Statement,
  { parts, resultFormats }: AskingManner,
): readonly Buffer[] {
  const columns = columnsOf(question);
  const head = new AnswerHead(parts, statement.purpose, resultFormats);
  head.onParameters(statement.parameterTypes);
  head.onColumns(columns);
  if (statement.purpose === 'prepare') return head.take();
  head.onColumns(
    columns.map((column, index) => ({
      ...column,
      format: resultFormats[resultFormats.length === 1 ? 0 : index] ?? 0,
    })),
  );
  return [
    ...head.take(),
    ...rows.map((row) => toClient.dataRow(row.map((value) => (value === null ? null : Buffer.from(value))))),
    toClient.commandComplete(question.kind === 'explain' ? 'EXPLAIN' : 'SHOW'),
  ];
}
