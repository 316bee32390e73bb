import { checkSize, type LeafRange, splitOf } from './nodes.js';

/**
 * The ranges whose hashes are the inclusion proof of leaf `index` in the tree of `size` leaves, in the proof's order
 * (RFC 9162 section 2.1.3.1). Throws a RangeError unless index < size.
 */
export function inclusionRanges(index: number, size: number): readonly LeafRange[] {
  checkSize(index);
  checkSize(size);
  if (index >= size) throw new RangeError('The tree does not hold that leaf.');
  const ranges: LeafRange[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  return ranges.reverse();
}

/**
 * The ranges whose hashes are the consistency proof from the tree of `first` leaves to that of `second`, in the proof's
 * order (RFC 9162 section 2.1.4.1). Empty where both are equal or the first is empty. Throws a RangeError unless
 * first ≤ second.
 */
export function consistencyRanges(first: number, second: number): readonly LeafRange[] {
  checkSize(first);
  checkSize(second);
  if (first > second) throw new RangeError('The first tree is larger than the second.');
  if (first === 0 || first === second) return [];
  const ranges: LeafRange[] = [];
  let start = 0;
  let end = second;
  while (first !== end) {
    const middle = start + splitOf(end - start);
    if (first <= middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  // The old tree itself is known to the verifier, so it is left out where it is a subtree of the new one.
  if (start !== 0) ranges.push({ start, end });
  return ranges.reverse();
}
