import type { ReadData } from './shapes.js';
import { find, record, type Step } from './step.js';

export function foldGrantRequested(step: Step, data: ReadData['countersign.grant.requested.v1']): void {
  step.draft.grants.set(data.grant, {
    index: step.index,
    agent: data.agent,
    onBehalfOf: data.onBehalfOf,
    target: data.target,
    role: data.role,
    by: data.by,
    active: false,
  });
  const summary = `A grant for ${data.agent} on ${data.target} as ${data.role} was requested by ${data.by}.`;
  record(step, 'grant', data, summary, {
    state: 'requested',
    grant: data.grant,
    role: data.role,
    by: data.by,
    requestedBy: data.by,
    expiresAt: data.expiresAt,
  });
}

type GrantChange = 'activated' | 'revoked' | 'expired';

export function foldGrantChanged(
  step: Step,
  state: GrantChange,
  data: ReadData['countersign.grant.expired.v1'] & { readonly by?: string },
): void {
  const { grants } = step.draft;
  const open = grants.get(data.grant);
  const by = data.by ?? null;
  if (open === undefined) find(step, 'grant-unknown', data, { grant: data.grant, state });
  if (state === 'activated') {
    if (by === data.agent) find(step, 'self-grant', data, { grant: data.grant }, open?.index);
    if (open !== undefined) grants.set(data.grant, { ...open, active: true });
  } else {
    grants.delete(data.grant);
  }
  record(
    step,
    'grant',
    { ...data, onBehalfOf: open?.onBehalfOf ?? null },
    `The grant of ${data.agent} on ${data.target} was ${state}${by === null ? '' : ` by ${by}`}.`,
    { state, grant: data.grant, role: open?.role ?? null, by, requestedBy: open?.by ?? null },
    [open?.index],
  );
}
