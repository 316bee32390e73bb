import type { Facts } from '@countersign/contracts';
import type { RunReport } from './action.js';

/** The target's open transaction, as the gate keeps count of it. */
export interface OpenTransaction {
  readonly id: string;
  /** Actions in it so far: the ordinal of the next. */
  readonly actions: number;
  /** Whether it may have written or locked: then it must not wait for a human. */
  readonly dirty: boolean;
  /** Whether it may have changed the target's structure: the catalogue is read again once it is committed. */
  readonly structural: boolean;
  /** Whether the gateway refused an action in it: as after any error, only rolling back is left. */
  readonly refused: boolean;
}

export type TransactionPlace = { readonly id: string; readonly ordinal: number } | null;

export interface EndedTransaction {
  readonly id: string;
  readonly result: 'committed' | 'rolled-back' | 'unknown';
  readonly actions: number;
}

export interface TransactionStep {
  readonly open: OpenTransaction | null;
  readonly ended: EndedTransaction | null;
  /** Whether the target's structure may have changed for everybody. */
  readonly structureChanged: boolean;
  /** Where the action itself belongs: the statement that opens a transaction is its first action. */
  readonly place: TransactionPlace;
}

const HARMLESS_VERBS: readonly string[] = ['read', 'settings'];
const DIRTY_RISKS: readonly string[] = ['lock', 'sequence', 'large-object', 'dynamic-sql', 'copy-in'];

/** Where an action belongs before it runs. */
export function placeIn(open: OpenTransaction | null): TransactionPlace {
  return open === null ? null : { id: open.id, ordinal: open.actions };
}

/** Whether an action may run: after a refusal, as after an error, only what rolls back. */
export function blockedByRefusal(open: OpenTransaction | null, facts: Facts | null): boolean {
  if (open === null || !open.refused) return false;
  return facts?.transaction !== 'rollback' && facts?.transaction !== 'rollback-to';
}

/** After a refused action: an open transaction counts as failed, as it would had the target refused it. */
export function afterRefusal(open: OpenTransaction | null): OpenTransaction | null {
  return open === null ? null : { ...open, actions: open.actions + 1, refused: true };
}

/**
 * After an action ran.
 * @param newId the id of a transaction that may have begun
 */
export function afterRun(
  open: OpenTransaction | null,
  facts: Facts,
  report: RunReport,
  newId: string,
): TransactionStep {
  const stays = report.transaction === 'open' || report.transaction === 'failed';
  if (open === null) {
    if (!stays) return { open: null, ended: null, structureChanged: isStructural(facts), place: null };
    const begun = counted(fresh(newId), facts);
    return { open: begun, ended: null, structureChanged: false, place: { id: newId, ordinal: 0 } };
  }
  const place = { id: open.id, ordinal: open.actions };
  const after = counted(open, facts);
  // ROLLBACK TO SAVEPOINT carries the tag of ROLLBACK, yet ends nothing.
  const ended = facts.transaction === 'rollback-to' ? null : report.ended;
  if (stays && ended === null) {
    const recovered = facts.transaction === 'rollback-to' && report.status === 'succeeded';
    const next = { ...after, refused: recovered ? false : open.refused };
    return { open: next, ended: null, structureChanged: false, place };
  }
  const result = resultOf(facts, report);
  return {
    // COMMIT AND CHAIN ends one transaction and leaves the next open, without an action yet.
    open: stays ? fresh(newId) : null,
    ended: { id: open.id, result, actions: after.actions },
    structureChanged: after.structural && result !== 'rolled-back',
    place,
  };
}

function fresh(id: string): OpenTransaction {
  return { id, actions: 0, dirty: false, structural: false, refused: false };
}

function counted(open: OpenTransaction, facts: Facts): OpenTransaction {
  return {
    ...open,
    actions: open.actions + 1,
    dirty: open.dirty || isDirty(facts),
    structural: open.structural || isStructural(facts),
  };
}

function isDirty(facts: Facts): boolean {
  return (
    facts.verbs.some((verb) => !HARMLESS_VERBS.includes(verb)) ||
    facts.risks.some((risk) => DIRTY_RISKS.includes(risk))
  );
}

function isStructural(facts: Facts): boolean {
  return facts.verbs.includes('ddl') || facts.verbs.includes('privilege') || facts.risks.includes('ddl');
}

function resultOf(facts: Facts, report: RunReport): EndedTransaction['result'] {
  if (report.ended !== null) return report.ended;
  const maybeCommitted = facts.transaction === 'commit' || facts.transaction === 'other';
  // A lost connection rolls back, except where the lost answer was that of the commit itself.
  if (report.transaction === 'lost') return maybeCommitted ? 'unknown' : 'rolled-back';
  return report.status === 'failed' ? 'rolled-back' : 'unknown';
}
