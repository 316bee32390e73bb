import type { Decision, Obligations, Verdict } from '@countersign/contracts';

const verdicts: readonly Verdict[] = ['allow', 'deny', 'modify', 'step_up', 'defer'];
const ruleId = /^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/;
const name = /^[a-z0-9][a-z0-9._-]*$/;
const reasonLimit = 500;

/**
 * The decision in a result set, or null where it is not exactly a decision: what a policy says is believed only in
 * this shape. Keys come in one order, so that equal decisions are equal as text.
 */
export function decisionOf(resultSet: unknown): Decision | null {
  if (!Array.isArray(resultSet) || resultSet.length !== 1) return null;
  const result = fields(resultSet[0], ['result'])?.result;
  const decision = fields(result, ['obligations', 'reason', 'rules', 'verdict']);
  if (decision === null) return null;
  const { rules, reason } = decision;
  const verdict = verdicts.find((known) => known === decision.verdict);
  if (verdict === undefined || !isSortedTexts(rules, ruleId) || rules.length === 0) return null;
  if (typeof reason !== 'string' || reason.length > reasonLimit || !/^[^\p{C}]+\.$/u.test(reason))
    return null;
  if (verdict === 'deny' || verdict === 'defer') {
    return decision.obligations === null ? { verdict, rules, reason, obligations: null } : null;
  }
  const obligations = obligationsOf(decision.obligations);
  if (obligations === null) return null;
  // Masked and unmasked may not be mixed up: `none` goes with allow, every other profile with modify.
  if (verdict !== 'step_up' && (verdict === 'allow') !== (obligations.profile === 'none')) return null;
  return { verdict, rules, reason, obligations };
}

function obligationsOf(value: unknown): Obligations | null {
  const obligations = fields(value, ['lookups', 'profile', 'rowLimit', 'timeLimitSeconds']);
  if (obligations === null) return null;
  const { profile, lookups, rowLimit, timeLimitSeconds } = obligations;
  if (typeof profile !== 'string' || !name.test(profile) || !isSortedTexts(lookups, name)) return null;
  if (!isLimit(rowLimit) || !isLimit(timeLimitSeconds)) return null;
  return { profile, lookups, rowLimit, timeLimitSeconds };
}

function fields(value: unknown, keys: readonly string[]): Record<string, unknown> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const entries = Object.entries(value);
  const exact = entries.length === keys.length && entries.every(([key]) => keys.includes(key));
  return exact ? Object.fromEntries(entries) : null;
}

function isSortedTexts(value: unknown, pattern: RegExp): value is string[] {
  if (!Array.isArray(value)) return false;
  return value.every(
    (text, index) =>
      typeof text === 'string' && pattern.test(text) && (index === 0 || String(value[index - 1]) < text),
  );
}

function isLimit(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && Number.isSafeInteger(value) && value > 0);
}
