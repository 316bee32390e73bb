import type { Draft, OpenSession } from './state.js';
import { find, type Step, type Who } from './step.js';

/**
 * Finds the actions that a session numbered and nobody recorded, from the ordinal that is due to the one that came.
 * A refusal because nothing could be recorded takes an ordinal and leaves no event; its producer counts those and says
 * so when it can record again, before anything else, and as many are no finding.
 */
export function checkOrdinals(step: Step, id: string, session: OpenSession, seen: number, who: Who): void {
  const missing = seen - session.ordinal;
  if (missing === 0 || (missing > 0 && explained(step.draft, session.source, missing))) return;
  find(step, 'ordinal-gap', who, { session: id, expected: session.ordinal, seen }, session.index);
}

function explained(draft: Draft, source: string, missing: number): boolean {
  const head = draft.heads.get(source);
  if (head === undefined || head.unrecorded < missing) return false;
  draft.heads.set(source, { ...head, unrecorded: head.unrecorded - missing });
  return true;
}
