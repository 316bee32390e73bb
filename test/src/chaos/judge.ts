import type { Ending } from '../e2e/support/index.js';

/** One thing that an agent asked in a session, and how it ended. */
export interface Asked {
  /** The exact bytes that a decision commits to as submitted. */
  readonly submitted: string;
  readonly ending: Pick<Ending, 'what' | 'kind' | 'code'>;
}

/** All that an agent asked on one connection, in order, as the agent itself remembers it. */
export interface Conversation {
  readonly agent: string;
  readonly session: string;
  readonly asked: readonly Asked[];
}

/** What was recorded of one action. */
export interface RecordedAction {
  readonly action: string;
  readonly session: string;
  readonly ordinal: number;
  readonly submitted: string;
  /** Code of the refusal that was decided; null where it was to run. */
  readonly refusal: string | null;
  /** Null where no outcome is recorded. */
  readonly outcome: { readonly status: string; readonly error: string | null } | null;
}

/** Refusals of a connection, which no action stands for. */
const ofConnection = /^(protocol|session|service|auth|grant|target)\./;

/** What is wrong with the record of one thing that was asked; null where nothing is. */
export function wrongIn(asked: Pick<Asked, 'ending'>, recorded: RecordedAction | undefined): string | null {
  const { kind, code } = asked.ending;
  if (kind === 'hung' || kind === 'odd')
    return `it was answered by nothing that the catalogue knows (${kind})`;
  // Whoever hears nothing knows nothing: it may have run, or not.
  if (kind === 'lost') return null;
  if (kind === 'rows') {
    if (recorded === undefined) return 'it was answered with rows, and no decision is recorded';
    if (recorded.refusal !== null) return `it was answered with rows, and recorded as ${recorded.refusal}`;
    if (recorded.outcome?.status === 'succeeded') return null;
    // An ingress that is killed after its answer forgets the outcome; evidence has a finding of it.
    return recorded.outcome === null
      ? null
      : `it was answered with rows, and its outcome is ${recorded.outcome.status}`;
  }
  // The one answer without an event, or with one that became durable too late to act upon.
  if (code === 'recording.unavailable') {
    const ran = recorded?.outcome?.status === 'succeeded' || recorded?.outcome?.status === 'failed';
    return ran ? 'it was refused because nothing could be recorded, and ran' : null;
  }
  if (recorded === undefined)
    return ofConnection.test(code) ? null : `it was refused with ${code} without a record`;
  if (recorded.refusal === code) return null;
  // A connection may end with its own word while the refusal of what was asked is on its way: nothing has run.
  if (recorded.refusal !== null && ofConnection.test(code)) return null;
  const { outcome } = recorded;
  if (recorded.refusal === null && (outcome === null || outcome.error === code)) return null;
  return `it was refused with ${code}, and recorded as ${recorded.refusal ?? outcome?.error ?? 'succeeded'}`;
}

/**
 * Compares what agents remember with what was recorded, one to one: the n-th thing that was asked in a session is its
 * action with ordinal n. Gives a sentence for each thing that is wrong.
 * @param commits whether a recorded action commits to submitted bytes
 */
export function judge(
  conversations: readonly Conversation[],
  recorded: readonly RecordedAction[],
  commits: (action: RecordedAction, submitted: string) => boolean,
): readonly string[] {
  const wrong: string[] = [];
  const bySession = Map.groupBy(recorded, ({ session }) => session);
  for (const { agent, session, asked } of conversations) {
    const byOrdinal = new Map<number, RecordedAction>();
    for (const action of bySession.get(session) ?? []) {
      if (byOrdinal.has(action.ordinal))
        wrong.push(`${agent}: ordinal ${action.ordinal} of ${session} is twice there.`);
      if (action.ordinal >= asked.length)
        wrong.push(`${agent}: action ${action.action} of ${session} was recorded, and never asked for.`);
      byOrdinal.set(action.ordinal, action);
    }
    for (const [ordinal, one] of asked.entries()) {
      const action = byOrdinal.get(ordinal);
      const problem =
        action !== undefined && !commits(action, one.submitted)
          ? 'its record commits to something else'
          : wrongIn(one, action);
      if (problem !== null)
        wrong.push(`${agent}: ${one.ending.what}, number ${ordinal} of ${session}: ${problem}.`);
    }
  }
  return wrong;
}
