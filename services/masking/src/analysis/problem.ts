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
