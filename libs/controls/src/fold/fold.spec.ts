import { describe, expect, it } from '@jest/globals';
import { recordText } from '../record/index.js';
import { readCaseLines } from '../testing/cases.store.js';
import { type ShortEvent, World } from '../testing/world.fixture.js';
import { findingsAsOf } from './absence.js';
import { foldAll } from './fold.js';
import { initialFold } from './state.js';

interface FindingCase {
  readonly name: string;
  readonly events: readonly ShortEvent[];
  /** Findings at once, in their order. */
  readonly findings: readonly string[];
  /** Findings of absence as of a checkpoint over all events, sorted. */
  readonly absences: readonly string[];
  /** Kinds of all records, sorted. */
  readonly records?: readonly string[];
}

const world = await World.begin();

describe('the fold finds', () => {
  it.each(readCaseLines<FindingCase>('findings.jsonl'))('$name', async (given) => {
    const leaves = await world.leavesOf(given.events);
    const { state, records } = foldAll(initialFold(world.authority), leaves);
    const found = records.filter(({ kind }) => kind === 'finding').map(({ data }) => data.finding);
    expect(found).toEqual(given.findings);
    const absent = findingsAsOf(state, leaves.length).map(({ data }) => data.finding);
    expect(absent.toSorted()).toEqual(given.absences);
    if (given.records !== undefined)
      expect(records.map(({ kind }) => kind).toSorted()).toEqual([...given.records].sort());
    // Whatever is stored and compared later has one text.
    for (const record of records) expect(JSON.parse(recordText(record))).toEqual(record);
  });

  it('an outcome that is missing when its producer begins anew, for good', async () => {
    const session = { service: 'ingress-proxy', type: 'countersign.session.opened.v1', data: {} } as const;
    const decided = { service: 'ingress-proxy', type: 'countersign.action.decided.v1', data: {} } as const;
    const leaves = await world.leavesOf([session, decided, 'restart', session]);
    const { state, records } = foldAll(initialFold(world.authority), leaves);
    const found = records.filter(({ kind }) => kind === 'finding');
    expect(found.map(({ data, indexes }) => [data.finding, indexes])).toEqual([['no-outcome', [2, 3]]]);
    expect(findingsAsOf(state, leaves.length)).toEqual([]);
  });

  it('nothing missing after a dry run, which ran nothing and counts in the numbering', async () => {
    const ingress = { service: 'ingress-proxy' } as const;
    const decided = { ...ingress, type: 'countersign.action.decided.v1' } as const;
    const leaves = await world.leavesOf([
      { ...ingress, type: 'countersign.session.opened.v1', data: {} },
      { ...decided, mode: 'dryrun', data: { action: 'dry', running: null } },
      {
        ...decided,
        mode: 'dryrun',
        data: { action: 'dry-2', ordinal: 1, verdict: 'step_up', running: null },
      },
      { ...decided, data: { ordinal: 2, verdict: 'deny', running: null } },
    ]);
    const { state, records } = foldAll(initialFold(world.authority), leaves);
    expect(records.filter(({ kind }) => kind === 'finding')).toEqual([]);
    expect(findingsAsOf(state, leaves.length)).toEqual([]);
    const decisions = records.filter(({ kind }) => kind === 'decision');
    expect(decisions.map(({ mode, verdict, data }) => [mode, verdict, data.runs])).toEqual([
      ['dryrun', 'allow', false],
      ['dryrun', 'step_up', false],
      ['enforce', 'deny', false],
    ]);
  });

  it('refuses a leaf that is not the next, and a checkpoint of another size', async () => {
    const leaves = await world.leavesOf([]);
    const start = initialFold(world.authority);
    expect(() =>
      foldAll(start, [{ index: 1, topic: '', key: '', value: new Uint8Array(), signature: null }]),
    ).toThrow(RangeError);
    expect(() => findingsAsOf(foldAll(start, leaves).state, leaves.length + 1)).toThrow(RangeError);
  });
});

describe('a record', () => {
  it('names the leaves it rests on', async () => {
    const of = (service: string, type: string, data = {}): ShortEvent => ({
      service,
      type: `countersign.${type}.v1`,
      data,
    });
    const cited = {
      id: 'approval-1',
      approver: 'person-approver',
      decidedAt: 1800000060,
      expiresAt: 4102444800,
    };
    const leaves = await world.leavesOf([
      of('ingress-proxy', 'session.opened'),
      of('approval', 'approval.requested'),
      of('approval', 'approval.approved'),
      of('ingress-proxy', 'action.decided', { approval: cited }),
      of('approval', 'approval.consumed'),
      of('ingress-proxy', 'action.completed'),
    ]);
    const { records } = foldAll(initialFold(world.authority), leaves);
    const indexes = Object.fromEntries(records.map((record) => [record.id, record.indexes]));
    // Leaves 0 and 2 are the openings of the two producers' epochs.
    expect(indexes).toMatchObject({
      'session-1': [1],
      'approval-3': [3],
      'approval-4': [3, 4],
      'decision-5': [1, 3, 5],
      'approval-6': [3, 4, 6],
      'outcome-7': [5, 7],
    });
  });
});
