import { CountersignError, toCountersignError } from '@countersign/errors';

/** Codes of a disk without space: of the system, and of PostgreSQL (SQLSTATE). */
const fullCodes: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', '53100']);
const deepest = 5;

function isFull(failure: unknown, depth = 0): boolean {
  if (!(failure instanceof Error) || depth > deepest) return false;
  return fullCodes.has('code' in failure ? failure.code : undefined) || isFull(failure.cause, depth + 1);
}

/** The catalogued form of what ended an installation, or kept it from starting on a folder. */
export function explained(failure: unknown, folder: string): CountersignError {
  if (failure instanceof CountersignError) return failure;
  if (isFull(failure)) {
    const detail = `State is kept in ${folder}.`;
    return new CountersignError('service.disk_full', { detail, cause: failure });
  }
  return toCountersignError(failure);
}
