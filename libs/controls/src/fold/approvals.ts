import type { ReadData } from './shapes.js';
import type { Draft, HalfUse, OpenApproval } from './state.js';
import { find, record, type Step } from './step.js';

type Requested = ReadData['countersign.approval.requested.v1'];
type Approved = ReadData['countersign.approval.approved.v1'];
type Denied = ReadData['countersign.approval.denied.v1'];
type Consumed = ReadData['countersign.approval.consumed.v1'];
type Refused = ReadData['countersign.approval.refused.v1'];
type Cited = NonNullable<ReadData['countersign.action.decided.v1']['approval']>;

export function foldRequested(step: Step, data: Requested): void {
  const { approvals } = step.draft;
  const open = approvals.get(data.approval);
  if (open !== undefined) {
    find(step, 'approval-repeated', data, { approval: data.approval }, open.index);
    return;
  }
  approvals.set(data.approval, {
    index: step.index,
    time: step.time,
    agent: data.agent,
    onBehalfOf: data.onBehalfOf,
    target: data.target,
    grant: data.grant,
    action: data.action,
    expiresAt: data.expiresAt,
    approver: null,
    approvedIndex: null,
  });
  record(step, 'approval', data, `Approval ${data.approval} was requested for an action of ${data.agent}.`, {
    state: 'requested',
    approval: data.approval,
    action: data.action,
    session: data.session,
    grant: data.grant,
    role: data.role,
    profile: data.profile,
    rules: data.rules,
    policyDigest: data.policyDigest,
    expiresAt: data.expiresAt,
    approver: null,
  });
}

export function foldApproved(step: Step, data: Approved): void {
  const open = answered(step, 'approved', data);
  if (open === undefined) return;
  const facts = { approval: data.approval, approver: data.approver };
  const self = data.approver === open.agent || data.approver === open.onBehalfOf;
  if (self) find(step, 'self-approval', open, facts, open.index);
  if (data.decidedAt > open.expiresAt) find(step, 'approval-overdue', open, facts, open.index);
  // From now on it has its time of use, no longer that of the answer.
  const { approver, expiresAt } = data;
  step.draft.approvals.set(data.approval, { ...open, approver, expiresAt, approvedIndex: step.index });
  recordState(step, data.approval, open, 'approved', approver);
}

export function foldDenied(step: Step, data: Denied): void {
  const open = answered(step, 'denied', data);
  if (open === undefined) return;
  step.draft.approvals.delete(data.approval);
  recordState(step, data.approval, open, 'denied', data.approver);
}

/** The approval that an answer is to; an answer to none, or a second one, is a finding. */
function answered(
  step: Step,
  state: 'approved' | 'denied',
  { approval, approver }: Denied,
): OpenApproval | undefined {
  const open = step.draft.approvals.get(approval);
  if (open === undefined) find(step, 'approval-unknown', {}, { approval, state });
  else if (open.approver !== null) {
    find(step, 'approval-repeated', open, { approval, approver }, open.approvedIndex);
  }
  return open;
}

export function foldExpired(step: Step, approval: string): void {
  const open = step.draft.approvals.get(approval);
  if (open === undefined) {
    find(step, 'approval-unknown', {}, { approval, state: 'expired' });
    return;
  }
  step.draft.approvals.delete(approval);
  recordState(step, approval, open, 'expired', open.approver);
}

export function foldConsumed(step: Step, data: Consumed): void {
  const { approvals } = step.draft;
  const open = approvals.get(data.approval);
  const facts = { approval: data.approval, action: data.action };
  if (open === undefined) {
    find(step, 'approval-unknown', {}, { ...facts, state: 'consumed' });
    return;
  }
  if (open.approver === null) find(step, 'approval-not-given', open, facts, open.index);
  const time = Date.parse(step.time) / 1000;
  if (Math.floor(time) > open.expiresAt) find(step, 'approval-overdue', open, facts, open.index);
  approvals.delete(data.approval);
  recordState(step, data.approval, open, 'consumed', open.approver);
  meetUse(step, data.approval, {
    side: 'consumed',
    index: step.index,
    time: step.time,
    action: data.action,
    agent: open.agent,
    target: open.target,
  });
}

export function foldRefused(step: Step, data: Refused): void {
  const open = step.draft.approvals.get(data.approval);
  record(
    step,
    'approval',
    open ?? {},
    `An answer of ${data.principal} to approval ${data.approval} was refused.`,
    {
      state: 'refused',
      approval: data.approval,
      action: open?.action ?? null,
      approver: null,
      principal: data.principal,
      principalKind: data.kind,
      code: data.code,
    },
    [open?.index],
  );
}

export function foldShown(step: Step, data: ReadData['countersign.approval.shown.v1']): void {
  const open = step.draft.approvals.get(data.approval);
  const summary = `${data.principal} looked at the exact action of approval ${data.approval}.`;
  const facts = { state: 'shown', approval: data.approval, approver: null, principal: data.principal };
  record(step, 'approval', open ?? {}, summary, facts, [open?.index]);
}

/** A decision cites an approval. Its events are on another topic, and may come before or after. */
export function citeApproval(
  step: Step,
  data: ReadData['countersign.action.decided.v1'],
  cited: Cited,
): void {
  const open = step.draft.approvals.get(cited.id);
  const differs = open?.approver != null && open.approver !== cited.approver;
  if (open !== undefined && (differs || open.agent !== data.agent || open.target !== data.target)) {
    find(step, 'approval-mismatch', data, { approval: cited.id, action: data.action }, open.index);
  }
  if (data.verdict !== 'allow' && data.verdict !== 'modify') return;
  meetUse(step, cited.id, {
    side: 'decided',
    index: step.index,
    time: step.time,
    action: data.action,
    agent: data.agent,
    target: data.target,
  });
}

/** A decided action that the gateway then refused uses no approval. */
export function uncite(draft: Draft, approval: string, index: number): void {
  const half = draft.uses.get(approval);
  if (half?.side === 'decided' && half.index === index) draft.uses.delete(approval);
}

/** A decision and a consumption of the same approval for the same action settle one another. */
function meetUse(step: Step, approval: string, half: HalfUse): void {
  const { uses } = step.draft;
  const other = uses.get(approval);
  if (other === undefined) {
    uses.set(approval, half);
  } else if (other.side === half.side) {
    const facts = { approval, action: half.action, other: other.action };
    find(step, 'approval-used-twice', half, facts, other.index);
  } else {
    uses.delete(approval);
    if (other.action !== half.action) {
      const facts = { approval, action: half.action, other: other.action };
      find(step, 'approval-mismatch', half, facts, other.index);
    }
  }
}

function recordState(
  step: Step,
  approval: string,
  open: OpenApproval,
  state: 'approved' | 'denied' | 'expired' | 'consumed',
  approver: string | null,
): void {
  const who = approver === null ? '' : ` Its approver is ${approver}.`;
  const facts = { state, approval, action: open.action, grant: open.grant, approver };
  const earlier = [open.index, open.approvedIndex];
  record(step, 'approval', open, `Approval ${approval} is ${state}.${who}`, facts, earlier);
}
