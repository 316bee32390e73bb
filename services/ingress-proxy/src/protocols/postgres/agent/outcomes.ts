import type { TransactionStanding } from '../../../gate/index.js';
import { rowsOfTag, type TransactionStatus } from '../codec/index.js';

export function standingOf(status: TransactionStatus): TransactionStanding {
  if (status === 'I') return 'idle';
  return status === 'T' ? 'open' : 'failed';
}

/** Rows that a command tag says were written; those of a SELECT were counted as they were released. */
export function affectedBy(tag: string): number {
  return tag.startsWith('SELECT') ? 0 : rowsOfTag(tag);
}

export function endedBy(tag: string | null): 'committed' | 'rolled-back' | null {
  if (tag === 'COMMIT') return 'committed';
  return tag === 'ROLLBACK' ? 'rolled-back' : null;
}
