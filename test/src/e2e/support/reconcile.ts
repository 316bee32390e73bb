import type { ActionCompleted } from '@countersign/contracts';
import type { LoggedStatement } from './statement-log.js';

/** A decision after which something was to run, and what became of it. */
export interface RunningDecision {
  readonly action: string;
  readonly session: string;
  /** Whether the gateway itself asked, and not an agent. */
  readonly system: boolean;
  /** Commitment to the text that runs. */
  readonly running: string;
  /** Null where no outcome is recorded. */
  readonly status: ActionCompleted['status'] | null;
}

export interface Reconciliation {
  /** Statements that one decision of their own covers. */
  readonly matched: number;
  /** Statements that ran although nothing that was decided and not yet used up commits to them. */
  readonly unrecorded: readonly LoggedStatement[];
  /** Decisions whose outcome says that the target answered, although it has not seen them. */
  readonly unseen: readonly RunningDecision[];
  /** Decisions without an outcome, and whether the target saw them. */
  readonly open: readonly { readonly decision: RunningDecision; readonly seen: boolean }[];
}

/** Outcomes that only the target's answer can give. */
const answered: ReadonlySet<RunningDecision['status']> = new Set(['succeeded', 'failed']);

/** The same text may be decided often: what the target surely saw takes its statements first. */
const certainty = ({ status }: RunningDecision): number => (answered.has(status) ? 0 : 1);

/**
 * Joins what a target says it was sent with what was decided, one to one: by session, and by commitment to the running
 * text. Nothing is excepted: the gateway's own statements are decided too.
 *
 * A request to cancel is decided as `CANCEL <action>` and is no statement, so that no log shows it.
 * @param commits whether a decision commits to a text
 */
export function reconcile(
  statements: readonly LoggedStatement[],
  decisions: readonly RunningDecision[],
  commits: (decision: RunningDecision, text: string) => boolean,
): Reconciliation {
  const ordered = [...decisions].sort((left, right) => certainty(left) - certainty(right));
  const unused = Map.groupBy(ordered, ({ session }) => session);
  const seen = new Set<RunningDecision>();
  const unrecorded: LoggedStatement[] = [];
  for (const statement of statements) {
    const candidates = unused.get(statement.session) ?? [];
    const found = candidates.findIndex((decision) => commits(decision, statement.text));
    const [decision] = found < 0 ? [] : candidates.splice(found, 1);
    if (decision === undefined) unrecorded.push(statement);
    else seen.add(decision);
  }
  const cancels = (decision: RunningDecision): boolean =>
    decision.system && decisions.some(({ action }) => commits(decision, `CANCEL ${action}`));
  return {
    matched: seen.size,
    unrecorded,
    unseen: decisions.filter(
      (decision) => answered.has(decision.status) && !seen.has(decision) && !cancels(decision),
    ),
    open: decisions
      .filter(({ status }) => status === null)
      .map((decision) => ({ decision, seen: seen.has(decision) })),
  };
}
