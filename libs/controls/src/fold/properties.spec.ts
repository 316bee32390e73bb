import { canonicalJson } from '@countersign/contracts';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { recordText } from '../record/index.js';
import { readCaseLines, readCases } from '../testing/cases.store.js';
import { numbered, type ShortEvent, World } from '../testing/world.fixture.js';
import { findingsAsOf } from './absence.js';
import { fold, foldAll } from './fold.js';
import type { Leaf } from './leaf.js';
import { type FoldState, initialFold } from './state.js';

const world = await World.begin();
const all = readCaseLines<{ events: readonly ShortEvent[] }>('findings.jsonl').flatMap(
  ({ events }) => events,
);
const log = world.leavesOf(all);
const start = initialFold(world.authority);

const texts = (leaves: readonly Leaf[]) => {
  const { state, records } = foldAll(start, leaves);
  return [...records, ...findingsAsOf(state, leaves.length)].map(recordText);
};

describe('the fold', () => {
  it('gives the same bytes however the leaves are cut into batches, and through any store', () => {
    const whole = foldAll(start, log);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (cuts) => {
        let state: FoldState = start;
        const records: string[] = [];
        for (let from = 0, turn = 0; from < log.length; turn += 1) {
          const to = from + (cuts[turn % cuts.length] ?? 1);
          const folded = foldAll(JSON.parse(JSON.stringify(state)) as FoldState, log.slice(from, to));
          state = folded.state;
          records.push(...folded.records.map(recordText));
          from = to;
        }
        expect(records).toEqual(whole.records.map(recordText));
        expect(canonicalJson(state)).toBe(canonicalJson(whole.state));
      }),
      { numRuns: 30 },
    );
  });

  it('changes nothing of the state that it is given', () => {
    const before = JSON.stringify(start);
    fold(start, log[0] as Leaf);
    expect(JSON.stringify(start)).toBe(before);
  });

  it('gives every record an id of its own', () => {
    const { state, records } = foldAll(start, log);
    const ids = [...records, ...findingsAsOf(state, log.length)].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z0-9-]{1,200}$/);
  });

  it('rests every record on leaves up to its own, in order', () => {
    const { records } = foldAll(start, log);
    for (const { index, indexes } of records) {
      expect(indexes).toContain(index);
      expect(indexes.every((other) => other <= index)).toBe(true);
      expect(indexes).toEqual([...new Set(indexes)].sort((left, right) => left - right));
    }
  });

  it('never throws, whatever data an event of a known type has', () => {
    const types = Object.keys(readCases<object>('typical-events.json'));
    const services = ['ingress-proxy', 'approval', 'policy', 'masking', 'evidence'];
    const odd = fc.record({
      service: fc.constantFrom(...services),
      type: fc.constantFrom(...types),
      data: fc.dictionary(
        fc.constantFrom(
          'action',
          'session',
          'approval',
          'grant',
          'ordinal',
          'verdict',
          'claims',
          'previous',
          '__proto__',
        ),
        fc.oneof(fc.jsonValue(), fc.constantFrom('__proto__', 'constructor', 'toString', 'a', '')),
      ),
    });
    fc.assert(
      fc.property(fc.array(odd, { maxLength: 12 }), (events) => {
        expect(texts(world.leavesOf(events))).toEqual(expect.any(Array));
      }),
      { numRuns: 200 },
    );
  });

  it('never throws, whatever the bytes, keys and signatures', () => {
    const leaf = fc.record({
      topic: fc.constantFrom('countersign.ingress.v1', 'other', ''),
      key: fc.string(),
      value: fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.json().map((json) => new TextEncoder().encode(json)),
        fc.constantFrom(...log.map(({ value }) => value)),
      ),
      signature: fc.option(fc.uint8Array({ maxLength: 70 })),
      repeats: fc.option(fc.nat(3), { nil: 0 }),
    });
    fc.assert(
      fc.property(fc.array(leaf, { maxLength: 8 }), (leaves) => {
        expect(texts(numbered(leaves)).length).toBeGreaterThanOrEqual(leaves.length);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps no more than what is open', () => {
    const events = [
      { service: 'ingress-proxy', type: 'countersign.session.opened.v1', data: {} },
      ...Array.from({ length: 500 }, (_, ordinal) => [
        {
          service: 'ingress-proxy',
          type: 'countersign.action.decided.v1',
          data: { action: `action-${ordinal}`, ordinal },
        },
        {
          service: 'ingress-proxy',
          type: 'countersign.action.completed.v1',
          data: { action: `action-${ordinal}`, ordinal },
        },
        {
          service: 'approval',
          type: 'countersign.approval.requested.v1',
          data: { approval: `approval-${ordinal}` },
        },
        {
          service: 'approval',
          type: 'countersign.approval.denied.v1',
          data: { approval: `approval-${ordinal}` },
        },
      ]).flat(),
      { service: 'ingress-proxy', type: 'countersign.session.ended.v1', data: { actions: 500 } },
    ];
    const { state } = foldAll(start, world.leavesOf(events));
    expect([state.sessions, state.actions, state.approvals, state.uses, state.grants]).toEqual([
      {},
      {},
      {},
      {},
      {},
    ]);
    expect(Object.keys(state.heads)).toHaveLength(2);
  });
});
