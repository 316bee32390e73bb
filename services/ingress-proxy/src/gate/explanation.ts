import type { Decision, Facts, Stage, Verdict } from '@countersign/contracts';
import { type CountersignError, catalogue, type ErrorCode } from '@countersign/errors';
import type { ActionState, Finding } from './machine.js';

/** What was decided on a session's last action, and what came of it: all of it was told to the agent, or is its own. */
export interface LastDecision {
  readonly action: string;
  readonly verdict: Verdict;
  readonly stage: Stage;
  readonly rules: readonly string[];
  /** Labels of what the statement touches, where masking changed it. */
  readonly labels: readonly string[];
  /** Of the refusal, or of what went wrong afterwards; null where all went well so far. */
  readonly code: ErrorCode | null;
  readonly hint: string | null;
}

export function lastDecisionOf(action: string, state: ActionState, finding: Finding): LastDecision {
  const { decided, inspected, rewritten } = state;
  const labels = rewritten?.masked === true ? (inspected?.facts.labels ?? []) : [];
  return {
    action,
    verdict: finding.verdict,
    stage: finding.stage,
    rules: decided?.decision.rules ?? [],
    labels: [...new Set(labels.map((fact) => fact.label))].sort(),
    code: finding.refusal?.code ?? null,
    hint: finding.refusal?.next ?? null,
  };
}

/** The same once it is known how the action ended. */
export function withOutcome(
  last: LastDecision | undefined,
  action: string,
  error: CountersignError | ErrorCode | null,
): LastDecision | undefined {
  // Meanwhile another action may have been the last.
  if (last === undefined || last.action !== action || error === null) return last;
  if (typeof error === 'string') return { ...last, code: error, hint: catalogue[error].next };
  return { ...last, code: error.code, hint: error.next };
}

/** What would be decided on a statement, and what would run: nothing did. */
export interface Explanation {
  readonly action: string;
  readonly verdict: Verdict;
  readonly stage: Stage;
  /** Where it would be refused: the code, the sentence and what to do next. */
  readonly refusal: { readonly code: ErrorCode; readonly message: string; readonly next: string } | null;
  readonly facts: Facts | null;
  /** Policy's own answer, with its rules and obligations. */
  readonly decision: Decision | null;
  readonly policyDigest: string | null;
  /** What would run instead of the statement; null where nothing would. */
  readonly rewrite: {
    readonly text: string;
    readonly masked: boolean;
    /** Columns of the result, from 0, whose values would be replaced at release. */
    readonly replaced: readonly { readonly column: number; readonly label: string }[];
  } | null;
}

export function explanationOf(action: string, state: ActionState, finding: Finding): Explanation {
  const { decided, inspected, rewritten } = state;
  const { refusal } = finding;
  return {
    action,
    verdict: finding.verdict,
    stage: finding.stage,
    refusal: refusal === null ? null : { code: refusal.code, message: refusal.message, next: refusal.next },
    facts: inspected?.facts ?? null,
    decision: decided?.decision ?? null,
    policyDigest: decided?.policyDigest ?? null,
    rewrite:
      rewritten === null
        ? null
        : {
            text: rewritten.text,
            masked: rewritten.masked,
            replaced: rewritten.releasedColumns.map(({ index, label }) => ({ column: index, label })),
          },
  };
}
