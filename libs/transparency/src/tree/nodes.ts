import { nodeHash } from './hashes.js';

/**
 * A complete subtree: the hash of leaves `index * 2**level` to `(index + 1) * 2**level`, which never changes once the
 * tree holds them all.
 */
export interface NodeCoordinate {
  readonly level: number;
  readonly index: number;
}

/** Leaves `start` (included) to `end` (excluded). */
export interface LeafRange {
  readonly start: number;
  readonly end: number;
}

/** Throws a RangeError unless the number is a tree size or leaf index: whole, from 0, exactly representable. */
export function checkSize(size: number): void {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('A tree size is a whole number from 0.');
}

/** Level of the largest complete subtree that `size` leaves can hold: the exponent of the largest power of two ≤ size. */
export function levelOf(size: number): number {
  let level = 0;
  // Division instead of shifts: bit operators stop at 32 bits, trees do not.
  for (let rest = size; rest >= 2; rest = Math.floor(rest / 2)) level += 1;
  return level;
}

/** The largest power of two smaller than `size`: where RFC 9162 section 2.1.1 splits a tree. Size is at least 2. */
export function splitOf(size: number): number {
  const power = 2 ** levelOf(size);
  return power === size ? power / 2 : power;
}

/**
 * The complete subtrees of a range, from left to right and thus from the largest to the smallest. The range must be a
 * subtree of some tree: its start is a multiple of the smallest power of two that covers it.
 */
export function nodesOf(range: LeafRange): readonly NodeCoordinate[] {
  const nodes: NodeCoordinate[] = [];
  for (let start = range.start; start < range.end; ) {
    const level = levelOf(range.end - start);
    nodes.push({ level, index: start / 2 ** level });
    start += 2 ** level;
  }
  return nodes;
}

/** Hash of a range from the hashes of its complete subtrees; there is at least one. */
export function hashOfNodes(hashes: readonly Uint8Array[]): Uint8Array {
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}
