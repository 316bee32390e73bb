import { closeEpoch } from './actions.js';
import type { ReadData } from './shapes.js';
import { record, type Step } from './step.js';

export function foldEpochOpened(
  step: Step,
  source: string,
  data: ReadData['countersign.epoch.opened.v1'],
): void {
  closeEpoch(step, source);
  record(step, 'epoch', {}, `${source} opened an epoch of its chain.`, {
    source,
    epoch: step.envelope?.epoch ?? null,
    previous: data.previous?.epoch ?? null,
  });
}

export function foldResumed(
  step: Step,
  source: string,
  data: ReadData['countersign.recording.resumed.v1'],
): void {
  const head = step.draft.heads.get(source);
  if (head !== undefined) {
    step.draft.heads.set(source, { ...head, unrecorded: head.unrecorded + data.refusals });
  }
  const summary = `${source} can record again; it refused ${data.refusals} while it could not.`;
  record(step, 'recording', {}, summary, { source, refusals: data.refusals, since: data.since });
}

export function foldPolicyActivated(step: Step, data: ReadData['countersign.policy.activated.v1']): void {
  record(step, 'policy', {}, `Policy ${data.policyDigest} was activated.`, { what: 'policy', ...data });
}

export function foldMaskingActivated(step: Step, data: ReadData['countersign.masking.activated.v1']): void {
  const { target, ...facts } = data;
  record(step, 'policy', { target }, `Masking of ${target} was activated.`, { what: 'masking', ...facts });
}

export function foldEnrolled(step: Step, data: ReadData['countersign.principal.enrolled.v1']): void {
  record(step, 'credential', agentOf(data), `${data.principal} was enrolled by ${data.by}.`, {
    state: 'enrolled',
    principal: data.principal,
    principalKind: data.kind,
    roles: data.roles,
    keyThumbprint: data.keyThumbprint,
    by: data.by,
  });
}

export function foldKeyRotated(step: Step, data: ReadData['countersign.principal.key-rotated.v1']): void {
  record(step, 'credential', agentOf(data), `The key of ${data.principal} was replaced by ${data.by}.`, {
    state: 'rotated',
    principal: data.principal,
    principalKind: data.kind,
    keyThumbprint: data.keyThumbprint,
    previousKeyThumbprint: data.previousKeyThumbprint,
    by: data.by,
  });
}

export function foldDisabled(step: Step, data: ReadData['countersign.principal.disabled.v1']): void {
  const { principal, kind, by } = data;
  const facts = { state: 'disabled', principal, principalKind: kind, by };
  record(step, 'credential', agentOf(data), `${principal} was disabled by ${by}.`, facts);
}

export function foldTokenIssued(step: Step, data: ReadData['countersign.token.issued.v1']): void {
  const who = data.kind === 'agent' ? { ...agentOf(data), target: data.audience } : {};
  record(step, 'credential', who, `${data.principal} was given a token for ${data.audience}.`, {
    state: 'issued',
    principal: data.principal,
    principalKind: data.kind,
    audience: data.audience,
    grant: data.grant,
    role: data.role,
    tokenId: data.tokenId,
    expiresAt: data.expiresAt,
  });
}

export function foldTokenRefused(step: Step, data: ReadData['countersign.token.refused.v1']): void {
  const { principal, code, count } = data;
  record(step, 'credential', {}, `A token was refused: ${code}.`, {
    state: 'refused',
    principal,
    code,
    count,
  });
}

export function foldRead(step: Step, data: ReadData['countersign.evidence.read.v1']): void {
  const { principal, resource, status, count } = data;
  record(step, 'reading', {}, `Evidence was read: ${resource}.`, { principal, resource, status, count });
}

function agentOf(data: { readonly principal: string; readonly kind: 'agent' | 'person' }): {
  agent?: string;
} {
  return data.kind === 'agent' ? { agent: data.principal } : {};
}
