import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { equal } from '../bytes.js';
import { definedRoot, readerOf, sampleLeaves } from '../testing/tree.fixture.js';
import { appendLeaves, emptyFrontier, frontierRoot } from './frontier.js';
import { emptyRoot, leafHash } from './hashes.js';
import { nodesOf, splitOf } from './nodes.js';
import { proveConsistency, proveInclusion } from './prove.js';
import { consistencyRanges, inclusionRanges } from './ranges.js';
import { type ConsistencyClaim, type InclusionClaim, verifyConsistency, verifyInclusion } from './verify.js';

const LARGEST = 67;
const leaves = sampleLeaves(LARGEST);
const reader = readerOf(leaves);
const roots = Array.from({ length: LARGEST + 1 }, (_, size) =>
  size === 0 ? emptyRoot() : definedRoot(leaves.slice(0, size)),
);
const root = (size: number) => roots[size] ?? new Uint8Array();
const leaf = (index: number) => leaves[index] ?? new Uint8Array();

async function inclusionClaim(index: number, size: number): Promise<InclusionClaim> {
  return {
    leafHash: leaf(index),
    index,
    size,
    root: root(size),
    proof: await proveInclusion(index, size, reader),
  };
}

async function consistencyClaim(first: number, second: number): Promise<ConsistencyClaim> {
  return {
    first: { size: first, root: root(first) },
    second: { size: second, root: root(second) },
    proof: await proveConsistency(first, second, reader),
  };
}

/** A copy in which one bit differs. */
function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  const at = Math.floor(bit / 8) % copy.length;
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit % 8));
  return copy;
}

const flipHash = (hashes: readonly Uint8Array[], which: number, bit: number) =>
  hashes.map((hash, index) => (index === which ? flip(hash, bit) : hash));

describe('every proof verifies', () => {
  it('of inclusion, in all small trees', async () => {
    for (let size = 1; size <= LARGEST; size += 1)
      for (let index = 0; index < size; index += 1)
        expect(verifyInclusion(await inclusionClaim(index, size))).toBe(true);
  });

  it('of consistency, between all small trees', async () => {
    for (let second = 0; second <= LARGEST; second += 1)
      for (let first = 0; first <= second; first += 1)
        expect(verifyConsistency(await consistencyClaim(first, second))).toBe(true);
  });
});

const sizes = fc.integer({ min: 1, max: LARGEST });
const bits = fc.nat(255);

describe('any change fails', () => {
  it('one bit of leaf, root or proof of inclusion', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), bits, async (size, anyIndex, anyPart, bit) => {
        const claim = await inclusionClaim(anyIndex % size, size);
        const part = anyPart % (claim.proof.length + 2);
        const changed: InclusionClaim = {
          ...claim,
          ...(part === 0 ? { leafHash: flip(claim.leafHash, bit) } : {}),
          ...(part === 1 ? { root: flip(claim.root, bit) } : {}),
          proof: flipHash(claim.proof, part - 2, bit),
        };
        expect(verifyInclusion(changed)).toBe(false);
      }),
    );
  });

  it('another index of the same tree, or a proof cut or lengthened', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), async (size, anyIndex, anyOther) => {
        const claim = await inclusionClaim(anyIndex % size, size);
        const other = anyOther % size;
        if (other !== claim.index) expect(verifyInclusion({ ...claim, index: other })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: [...claim.proof, claim.root] })).toBe(false);
        if (claim.proof.length > 0)
          expect(verifyInclusion({ ...claim, proof: claim.proof.slice(1) })).toBe(false);
        expect(verifyInclusion({ ...claim, index: size })).toBe(false);
        expect(verifyInclusion({ ...claim, index: -1 })).toBe(false);
        expect(verifyInclusion({ ...claim, size: size + 0.5 })).toBe(false);
        expect(verifyInclusion({ ...claim, root: claim.root.subarray(1) })).toBe(false);
      }),
    );
  });

  it('one bit of roots or proof of consistency', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, fc.nat(), bits, async (left, right, anyPart, bit) => {
        const claim = await consistencyClaim(Math.min(left, right), Math.max(left, right));
        const part = anyPart % (claim.proof.length + 2);
        const { first, second } = claim;
        const changed: ConsistencyClaim = {
          first: part === 0 ? { ...first, root: flip(first.root, bit) } : first,
          second: part === 1 ? { ...second, root: flip(second.root, bit) } : second,
          proof: flipHash(claim.proof, part - 2, bit),
        };
        expect(verifyConsistency(changed)).toBe(false);
      }),
    );
  });

  it('another first size, or a proof cut or lengthened', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, sizes, async (left, right, other) => {
        const claim = await consistencyClaim(Math.min(left, right), Math.max(left, right));
        const { first, second, proof } = claim;
        if (other !== first.size)
          expect(verifyConsistency({ ...claim, first: { ...first, size: other } })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: [...proof, second.root] })).toBe(false);
        if (proof.length > 0) expect(verifyConsistency({ ...claim, proof: proof.slice(0, -1) })).toBe(false);
        expect(verifyConsistency({ ...claim, second: { ...second, size: first.size - 1 } })).toBe(false);
      }),
    );
  });

  it('a history with one leaf changed', async () => {
    const forged = [...leaves];
    forged[3] = leafHash(new TextEncoder().encode('forged'));
    const proof = await proveConsistency(20, 40, readerOf(forged));
    const second = { size: 40, root: definedRoot(forged.slice(0, 40)) };
    expect(verifyConsistency({ first: { size: 20, root: root(20) }, second, proof })).toBe(false);
  });
});

describe('verifiers of any input', () => {
  const hash = fc.uint8Array({ minLength: 0, maxLength: 33 });
  const number = fc.oneof(fc.nat(100), fc.double(), fc.maxSafeInteger());

  it('answer false and never throw', () => {
    fc.assert(
      fc.property(hash, number, number, hash, fc.array(hash), (leafHash, index, size, top, proof) => {
        expect(verifyInclusion({ leafHash, index, size, root: top, proof })).toBe(false);
        const first = { size: index, root: leafHash };
        const equalTrees = index === size && equal(leafHash, top);
        if (!equalTrees) expect(verifyConsistency({ first, second: { size, root: top }, proof })).toBe(false);
      }),
    );
  });
});

describe('the frontier', () => {
  it('gives the same tree however the leaves are cut into batches', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 12 }), (batches) => {
        let frontier = emptyFrontier;
        for (const batch of batches)
          frontier = appendLeaves(
            frontier,
            leaves.slice(frontier.size, Math.min(LARGEST, frontier.size + batch)),
          );
        expect(equal(frontierRoot(frontier), root(frontier.size))).toBe(true);
      }),
    );
  });

  it('refuses a frontier that lacks hashes', () => {
    expect(() => appendLeaves({ size: 3, hashes: [] }, leaves.slice(0, 1))).toThrow(RangeError);
  });
});

describe('coordinates', () => {
  it('reach beyond 32 bits', () => {
    const size = 2 ** 40 + 3;
    expect(splitOf(size)).toBe(2 ** 40);
    expect(nodesOf({ start: 0, end: size })).toEqual([
      { level: 40, index: 0 },
      { level: 1, index: 2 ** 39 },
      { level: 0, index: 2 ** 40 + 2 },
    ]);
    expect(inclusionRanges(2 ** 40 + 2, size)).toHaveLength(2);
  });

  it.each([
    [5, 5],
    [-1, 5],
    [0.5, 5],
    [0, Number.NaN],
    [0, 2 ** 53],
  ])('refuse leaf %d of %d', (index, size) => {
    expect(() => inclusionRanges(index, size)).toThrow(RangeError);
  });

  it('refuse a tree that shrinks', () => {
    expect(() => consistencyRanges(6, 5)).toThrow(RangeError);
  });
});
