import { citeApproval, uncite } from './approvals.js';
import { checkOrdinals } from './ordinals.js';
import type { ReadData } from './shapes.js';
import { find, record, type Step } from './step.js';

type Decided = ReadData['countersign.action.decided.v1'];
type Completed = ReadData['countersign.action.completed.v1'];

/** Verdicts after which the target sees something, so that an outcome must follow. */
const running: ReadonlySet<string> = new Set(['allow', 'modify']);

export function foldDecided(step: Step, source: string, data: Decided): void {
  const { draft, index } = step;
  checkSession(step, data);
  const profile = data.decision?.obligations?.profile ?? null;
  // A dry run says what would be decided: the target sees nothing, so no outcome follows.
  const runs = running.has(data.verdict) && step.envelope?.mode !== 'dryrun';
  record(
    step,
    'decision',
    data,
    `Action ${data.action} of ${data.agent} on ${data.target}: ${data.verdict}, decided by ${data.stage}.`,
    {
      action: data.action,
      session: data.session,
      ordinal: data.ordinal,
      role: data.role,
      grant: data.grant,
      transaction: data.transaction?.id ?? null,
      verbs: data.verbs,
      objects: data.objects,
      labels: data.labels,
      risks: data.risks,
      stage: data.stage,
      refusal: data.refusal,
      rules: data.decision?.rules ?? [],
      profile,
      policyDigest: data.policyDigest,
      inputDigest: data.inputDigest,
      approval: data.approval?.id ?? null,
      approver: data.approval?.approver ?? null,
      runs,
    },
    [draft.sessions.get(data.session)?.index, data.approval && draft.approvals.get(data.approval.id)?.index],
  );
  if (data.approval !== null) citeApproval(step, data, data.approval);
  if (!runs) return;
  const open = draft.actions.get(data.action);
  if (open !== undefined) {
    find(step, 'decided-twice', data, { action: data.action }, open.index);
    return;
  }
  draft.actions.set(data.action, {
    index,
    source,
    time: step.time,
    session: data.session,
    agent: data.agent,
    onBehalfOf: data.onBehalfOf,
    target: data.target,
    verdict: data.verdict,
    verbs: data.verbs,
    labels: data.labels,
    risks: data.risks,
    profile,
    approval: data.approval?.id ?? null,
  });
}

/** The gateway's own actions belong to no agent's session; every other does, and is numbered in it. */
function checkSession(step: Step, data: Decided): void {
  const { sessions } = step.draft;
  const session = sessions.get(data.session);
  if (session === undefined) {
    if (step.envelope?.origin !== 'system') find(step, 'unknown-session', data, { session: data.session });
    return;
  }
  const same =
    session.digest === data.sessionDigest && session.agent === data.agent && session.target === data.target;
  if (!same || session.onBehalfOf !== data.onBehalfOf) {
    find(step, 'session-mismatch', data, { session: data.session }, session.index);
    return;
  }
  // The second decision of a held action keeps its ordinal.
  if (data.ordinal !== session.ordinal - 1) checkOrdinals(step, data.session, session, data.ordinal, data);
  sessions.set(data.session, { ...session, ordinal: Math.max(session.ordinal, data.ordinal + 1) });
}

export function foldCompleted(step: Step, data: Completed): void {
  const { actions } = step.draft;
  const open = actions.get(data.action);
  if (open === undefined) {
    // A refusal after a verdict that runs nothing needs no open action: nothing ran.
    if (data.status !== 'refused') {
      find(step, 'outcome-without-decision', {}, { action: data.action, status: data.status });
    }
  }
  actions.delete(data.action);
  if (open?.approval && data.status === 'refused') uncite(step.draft, open.approval, open.index);
  record(
    step,
    'outcome',
    open ?? {},
    `Action ${data.action}${open === undefined ? '' : ` of ${open.agent} on ${open.target}`}: ${data.status}.`,
    {
      action: data.action,
      session: data.session,
      status: data.status,
      error: data.error,
      sqlstate: data.sqlstate,
      rows: data.rows,
      bytes: data.bytes,
      released: data.released,
      durationMicroseconds: data.durationMicroseconds,
      decided: open?.index ?? null,
      verbs: open?.verbs ?? [],
      labels: open?.labels ?? [],
      risks: open?.risks ?? [],
      profile: open?.profile ?? null,
      approval: open?.approval ?? null,
    },
    [open?.index],
  );
}

/** An epoch that follows another says that whatever that one left open stays so: its producer has forgotten it. */
export function closeEpoch(step: Step, source: string): void {
  const { actions, sessions } = step.draft;
  const open = [...actions].filter(([, action]) => action.source === source);
  for (const [id, action] of open.sort(([, left], [, right]) => left.index - right.index)) {
    find(step, 'no-outcome', action, { action: id, session: action.session }, action.index);
    actions.delete(id);
  }
  for (const [id, session] of [...sessions]) if (session.source === source) sessions.delete(id);
}
