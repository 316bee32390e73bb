import type { ErrorCode } from '@countersign/errors';

/** Why a statement is refused. Sentences hold names of the catalogue only: no literal, alias or unknown name. */
export interface Problem {
  readonly code: Extract<ErrorCode, `masking.${string}`>;
  readonly reason: string;
  readonly wayOut: string;
}

export function notUnderstood(what: string, wayOut = 'Write the statement without it.'): Problem {
  return { code: 'masking.not_understood', reason: `Masking does not understand ${what}.`, wayOut };
}

/** A lookup as a hint names it: it cannot be asked for by itself, since the policy gives it to a role. */
export function lookupOf(label: string): string {
  return `a role whose policy grants a lookup of the label ${label}`;
}

/** One sentence of the ways that there are; the empty ones are left out. */
export function wayOf(ways: readonly string[]): string {
  const there = ways.filter((way) => way !== '');
  if (there.length === 0) return 'Leave the column out: no column or profile of this target serves instead.';
  const sentence = there.join(', or ');
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`;
}
