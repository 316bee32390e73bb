import { controls, mapRecord } from '../control/index.js';
import type { EvidenceRecord, JsonValue, RecordContent } from '../record/index.js';
import { type Finding, findings } from './findings.js';
import type { FoldState } from './state.js';
import { present, type Who } from './step.js';

interface Subject extends Who {
  readonly index: number;
  readonly time: string;
}

/**
 * What has not arrived as of a checkpoint: decisions without outcome, approvals that were given and not used, half uses
 * of approvals, tails that no signature covers, places in a chain that are still missing. Sorted by leaf, then name.
 * @param treeSize of the checkpoint; it must be the number of leaves folded
 * @throws RangeError if the state is of another size
 */
export function findingsAsOf(state: FoldState, treeSize: number): readonly EvidenceRecord[] {
  if (state.size !== treeSize) throw new RangeError(`The fold has ${state.size} leaves, not ${treeSize}.`);
  const absent = (
    finding: Finding,
    subject: Subject,
    data: { readonly [name: string]: JsonValue },
    discriminator = '',
  ): RecordContent => ({
    id: `finding-${subject.index}-${finding}${discriminator}-at-${treeSize}`,
    kind: 'finding',
    index: subject.index,
    indexes: [subject.index],
    time: subject.time,
    mode: 'enforce',
    origin: 'system',
    ...present(subject),
    summary: findings[finding],
    data: { ...data, finding, treeSize },
  });
  return [
    ...Object.entries(state.actions).map(([action, open]) =>
      absent('no-outcome', open, { action, session: open.session, source: open.source }),
    ),
    ...Object.entries(state.approvals)
      .filter(([, open]) => open.approvedIndex !== null)
      .map(([approval, open]) =>
        absent('approval-unused', open, { approval, approver: open.approver, expiresAt: open.expiresAt }),
      ),
    ...Object.entries(state.uses).map(([approval, half]) =>
      absent(half.side === 'decided' ? 'decision-without-approval' : 'approval-without-decision', half, {
        approval,
        action: half.action,
      }),
    ),
    ...Object.entries(state.heads).flatMap(([source, head]) => [
      ...(head.signed < head.seq
        ? [absent('unsigned-tail', head, { source, epoch: head.epoch, from: head.signed + 1, to: head.seq })]
        : []),
      ...head.gaps.map(([from, to]) =>
        absent('gap', head, { source, epoch: head.epoch, from, to }, `-${from}`),
      ),
    ]),
  ]
    .sort((left, right) => left.index - right.index || (left.id < right.id ? -1 : 1))
    .map((content) => ({ ...content, controls: mapRecord(controls, content) }));
}
