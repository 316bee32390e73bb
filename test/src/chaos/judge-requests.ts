import { type Asked, type RecordedAction, wrongIn } from './judge.js';

/** One request that an agent sent to an HTTP target, and how it ended. */
export interface Requested extends Pick<Asked, 'ending'> {
  /** The action that the answer named; null where it named none. */
  readonly action: string | null;
}

/** A request as the target's own log tells it. */
export interface SeenRequest {
  /** The action that the gateway named to the target; null for what came around the gateway. */
  readonly action: string | null;
}

/** The refusal of a session whose grant cannot be looked at: no action is under way yet. */
const beforeSession = 'approval.unavailable';

/**
 * Compares what agents remember of their requests, and what the target saw, with what was recorded: by the action that
 * answers name to agents and requests name to the target. Gives a sentence for each thing that is wrong.
 * @param recorded decisions of agents on this target
 */
export function judgeRequests(
  requested: readonly Requested[],
  seen: readonly SeenRequest[],
  recorded: readonly RecordedAction[],
): readonly string[] {
  const wrong: string[] = [];
  const byId = new Map(recorded.map((action) => [action.action, action]));
  const heard = new Set<string>();
  for (const { action, ending } of requested) {
    if (action !== null && heard.has(action)) wrong.push(`Two answers name ${action}.`);
    if (action !== null) heard.add(action);
    const problem =
      action === null && ending.kind === 'rows'
        ? 'it was answered, and its action not named'
        : action === null && ending.code === beforeSession
          ? null
          : wrongIn({ ending }, action === null ? undefined : byId.get(action));
    if (problem !== null) wrong.push(`${ending.what}, ${action ?? 'no action'}: ${problem}.`);
  }
  const ran = new Set<string>();
  for (const { action } of seen) {
    const decided = action === null ? undefined : byId.get(action);
    if (decided === undefined || decided.refusal !== null)
      wrong.push(`Ran unrecorded: ${action ?? 'no action'}.`);
    else if (ran.has(decided.action)) wrong.push(`Ran twice: ${decided.action}.`);
    else ran.add(decided.action);
  }
  for (const { action, outcome } of recorded)
    if (outcome?.status === 'succeeded' && !ran.has(action))
      wrong.push(`Recorded as answered, and never seen by the target: ${action}.`);
  // Whoever lost the connection, or was told that nothing could be recorded, heard of no action.
  const unheard = recorded.filter(({ action }) => !heard.has(action)).length;
  const silent = requested.filter(({ action }) => action === null).length;
  if (unheard > silent)
    wrong.push(`${unheard} actions are recorded that no answer named, of ${silent} without a name.`);
  return wrong;
}
