import { checkOrdinals } from './ordinals.js';
import type { ReadData } from './shapes.js';
import { find, record, type Step } from './step.js';

export function foldSessionOpened(
  step: Step,
  source: string,
  data: ReadData['countersign.session.opened.v1'],
): void {
  const { sessions } = step.draft;
  const { claims } = data;
  const open = sessions.get(claims.session);
  if (open !== undefined) {
    // Published again before a topic's retention ends: the same, or a contradiction.
    if (open.digest !== data.digest || open.source !== source) {
      find(step, 'session-mismatch', claims, { session: claims.session }, open.index);
    }
    return;
  }
  sessions.set(claims.session, {
    index: step.index,
    source,
    digest: data.digest,
    agent: claims.agent,
    onBehalfOf: claims.onBehalfOf,
    target: claims.target,
    ordinal: 0,
  });
  const summary = `${claims.agent} opened session ${claims.session} on ${claims.target} as ${claims.role}.`;
  record(step, 'session', claims, summary, {
    state: 'opened',
    session: claims.session,
    grant: claims.grant,
    role: claims.role,
    delegation: claims.delegation,
    transport: data.transport,
    tokenExpiresAt: data.tokenExpiresAt,
  });
}

export function foldSessionEnded(step: Step, data: ReadData['countersign.session.ended.v1']): void {
  const open = step.draft.sessions.get(data.session);
  step.draft.sessions.delete(data.session);
  if (open !== undefined) checkOrdinals(step, data.session, open, data.actions, open);
  const summary = `Session ${data.session} ended: ${data.reason}.`;
  const facts = { state: 'ended', session: data.session, reason: data.reason, actions: data.actions };
  record(step, 'session', open ?? {}, summary, facts, [open?.index]);
}

export function foldSessionRefused(step: Step, data: ReadData['countersign.session.refused.v1']): void {
  record(step, 'session', data, `A connection was refused: ${data.code}.`, {
    state: 'refused',
    code: data.code,
    count: data.count,
  });
}

export function foldTransactionEnded(step: Step, data: ReadData['countersign.transaction.ended.v1']): void {
  const open = step.draft.sessions.get(data.session);
  const summary = `Transaction ${data.transaction}: ${data.result}.`;
  record(step, 'transaction', open ?? {}, summary, { ...data }, [open?.index]);
}
