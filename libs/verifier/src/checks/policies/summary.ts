import type { ActionDecided, Facts, SessionClaims } from '@countersign/contracts';

/**
 * The first field in which a decision's own summary of its action differs from the facts and session that it refers
 * to; null where all agree. The summary is what people filter by, so it must not say something of its own.
 */
export function summaryDifference(data: ActionDecided, session: SessionClaims, facts: Facts): string | null {
  for (const field of ['session', 'target', 'agent', 'onBehalfOf', 'role', 'grant'] as const)
    if (data[field] !== session[field]) return field;
  const described = {
    verbs: facts.verbs,
    objects: facts.objects.map(({ name }) => name),
    labels: facts.labels.map(({ label }) => label),
    risks: facts.risks,
  };
  for (const field of ['verbs', 'objects', 'labels', 'risks'] as const)
    if (!sameSet(data[field], described[field])) return field;
  return null;
}

function sameSet(left: readonly string[], right: readonly string[]): boolean {
  const members = new Set(left);
  return members.size === new Set(right).size && right.every((member) => members.has(member));
}
