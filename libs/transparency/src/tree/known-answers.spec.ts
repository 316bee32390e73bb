import { describe, expect, it } from '@jest/globals';
import { toHex } from '../bytes.js';
import { readCases } from '../testing/cases.store.js';
import { hex, readerOf } from '../testing/tree.fixture.js';
import { appendLeaves, emptyFrontier, frontierRoot } from './frontier.js';
import { emptyRoot, leafHash } from './hashes.js';
import { proveConsistency, proveInclusion, readRoot } from './prove.js';
import { consistencyRanges, inclusionRanges } from './ranges.js';
import { verifyConsistency, verifyInclusion } from './verify.js';

interface TreeCases {
  readonly leaves: readonly string[];
  readonly roots: readonly string[];
  readonly inclusion: readonly { index: number; size: number; proof: readonly string[] }[];
  readonly consistency: readonly { first: number; second: number; proof: readonly string[] }[];
}
type Ranges = readonly (readonly [number, number])[];
interface ExampleCases {
  readonly size: number;
  readonly inclusion: readonly { index: number; ranges: Ranges }[];
  readonly consistency: readonly { first: number; ranges: Ranges }[];
}

const cases = readCases<TreeCases>('rfc6962-tree.json');
const example = readCases<ExampleCases>('rfc9162-example.json');
const leaves = cases.leaves.map((leaf) => leafHash(hex(leaf)));
const root = (size: number) => hex(cases.roots[size] ?? '');

describe('known answers of RFC 6962', () => {
  it.each(cases.roots.map((expected, size) => ({ expected, size })))(
    'roots a tree of $size',
    async ({ expected, size }) => {
      expect(toHex(frontierRoot(appendLeaves(emptyFrontier, leaves.slice(0, size))))).toBe(expected);
      expect(toHex(await readRoot(size, readerOf(leaves)))).toBe(expected);
    },
  );

  it('hashes nothing for the empty tree', () => {
    expect(toHex(emptyRoot())).toBe(cases.roots[0]);
  });

  it.each(cases.inclusion)('proves leaf $index in $size', async ({ index, size, proof }) => {
    expect((await proveInclusion(index, size, readerOf(leaves))).map(toHex)).toEqual(proof);
    const claim = { leafHash: leaves[index] ?? new Uint8Array(), index, size, root: root(size) };
    expect(verifyInclusion({ ...claim, proof: proof.map(hex) })).toBe(true);
  });

  it.each(cases.consistency)('proves $second from $first', async ({ first, second, proof }) => {
    expect((await proveConsistency(first, second, readerOf(leaves))).map(toHex)).toEqual(proof);
    const claim = { first: { size: first, root: root(first) }, second: { size: second, root: root(second) } };
    expect(verifyConsistency({ ...claim, proof: proof.map(hex) })).toBe(true);
  });
});

describe('example of RFC 9162', () => {
  it.each(example.inclusion)('includes leaf $index', ({ index, ranges }) => {
    expect(inclusionRanges(index, example.size).map(({ start, end }) => [start, end])).toEqual(ranges);
  });

  it.each(example.consistency)('appends to $first', ({ first, ranges }) => {
    expect(consistencyRanges(first, example.size).map(({ start, end }) => [start, end])).toEqual(ranges);
  });
});
