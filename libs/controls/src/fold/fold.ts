import type { EventType } from '@countersign/contracts';
import { controls, mapRecord } from '../control/index.js';
import type { EvidenceRecord } from '../record/index.js';
import { foldCompleted, foldDecided } from './actions.js';
import {
  foldApproved,
  foldConsumed,
  foldDenied,
  foldExpired,
  foldRefused,
  foldRequested,
  foldShown,
} from './approvals.js';
import { attribute } from './attribution.js';
import { foldGrantChanged, foldGrantRequested } from './grants.js';
import type { Leaf } from './leaf.js';
import {
  foldDisabled,
  foldEnrolled,
  foldEpochOpened,
  foldKeyRotated,
  foldMaskingActivated,
  foldPolicyActivated,
  foldRead,
  foldResumed,
  foldTokenIssued,
  foldTokenRefused,
} from './services.js';
import { foldSessionEnded, foldSessionOpened, foldSessionRefused, foldTransactionEnded } from './sessions.js';
import { isKnownType, type ReadData, readData } from './shapes.js';
import { type FoldState, freeze, thaw } from './state.js';
import { find, type Step } from './step.js';

/** What folding gave: the state after, and the records in their order. */
export interface Folded {
  readonly state: FoldState;
  readonly records: readonly EvidenceRecord[];
}

/**
 * Folds leaves in their order. Pure: equal states and leaves give equal bytes, in whatever batches they come.
 * No leaf makes it throw; what is wrong with one is a finding.
 * @throws RangeError if a leaf is not the next one, which is the caller's mistake.
 */
export function foldAll(state: FoldState, leaves: readonly Leaf[]): Folded {
  const draft = thaw(state);
  const records: EvidenceRecord[] = [];
  for (const leaf of leaves) {
    if (leaf.index !== draft.size) throw new RangeError(`Leaf ${draft.size} is due, not ${leaf.index}.`);
    const { envelope, problems, sound } = attribute(draft, leaf);
    const time = envelope?.time ?? draft.time;
    const step: Step = { draft, index: leaf.index, time, envelope, records: [] };
    for (const { finding, data } of problems) find(step, finding, {}, data);
    if (sound && envelope !== null) apply(step, envelope.source, envelope.type, envelope.data);
    draft.size = leaf.index + 1;
    if (sound) draft.time = time;
    for (const content of step.records) {
      records.push({ ...content, controls: mapRecord(controls, content) });
    }
  }
  return { state: freeze(draft), records };
}

/** Folds one leaf. */
export function fold(state: FoldState, leaf: Leaf): Folded {
  return foldAll(state, [leaf]);
}

type Handler<Type extends EventType> = (step: Step, source: string, data: ReadData[Type]) => void;

const handlers: { readonly [Type in EventType]: Handler<Type> } = {
  'countersign.epoch.opened.v1': foldEpochOpened,
  'countersign.session.opened.v1': foldSessionOpened,
  'countersign.session.refused.v1': (step, _, data) => foldSessionRefused(step, data),
  'countersign.session.ended.v1': (step, _, data) => foldSessionEnded(step, data),
  'countersign.action.decided.v1': foldDecided,
  'countersign.action.completed.v1': (step, _, data) => foldCompleted(step, data),
  'countersign.transaction.ended.v1': (step, _, data) => foldTransactionEnded(step, data),
  'countersign.recording.resumed.v1': foldResumed,
  'countersign.policy.activated.v1': (step, _, data) => foldPolicyActivated(step, data),
  'countersign.masking.activated.v1': (step, _, data) => foldMaskingActivated(step, data),
  'countersign.principal.enrolled.v1': (step, _, data) => foldEnrolled(step, data),
  'countersign.principal.key-rotated.v1': (step, _, data) => foldKeyRotated(step, data),
  'countersign.principal.disabled.v1': (step, _, data) => foldDisabled(step, data),
  'countersign.token.issued.v1': (step, _, data) => foldTokenIssued(step, data),
  'countersign.token.refused.v1': (step, _, data) => foldTokenRefused(step, data),
  'countersign.grant.requested.v1': (step, _, data) => foldGrantRequested(step, data),
  'countersign.grant.activated.v1': (step, _, data) => foldGrantChanged(step, 'activated', data),
  'countersign.grant.revoked.v1': (step, _, data) => foldGrantChanged(step, 'revoked', data),
  'countersign.grant.expired.v1': (step, _, data) => foldGrantChanged(step, 'expired', data),
  'countersign.approval.requested.v1': (step, _, data) => foldRequested(step, data),
  'countersign.approval.approved.v1': (step, _, data) => foldApproved(step, data),
  'countersign.approval.denied.v1': (step, _, data) => foldDenied(step, data),
  'countersign.approval.expired.v1': (step, _, data) => foldExpired(step, data.approval),
  'countersign.approval.consumed.v1': (step, _, data) => foldConsumed(step, data),
  'countersign.approval.refused.v1': (step, _, data) => foldRefused(step, data),
  'countersign.approval.shown.v1': (step, _, data) => foldShown(step, data),
  'countersign.evidence.read.v1': (step, _, data) => foldRead(step, data),
  // Referred to by digest; a leaf in its chain and no record.
  'countersign.facts.described.v1': () => {},
  // Announced from the fold, so never folded again.
  'countersign.evidence.finding.v1': () => {},
};

function apply(step: Step, source: string, type: string, data: unknown): void {
  if (!isKnownType(type)) return;
  applyAs(step, source, type, data);
}

function applyAs<Type extends EventType>(step: Step, source: string, type: Type, data: unknown): void {
  const read = readData(type, data);
  if (read !== null) handlers[type](step, source, read);
}
