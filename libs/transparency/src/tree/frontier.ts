import { emptyRoot, nodeHash } from './hashes.js';
import { checkSize, hashOfNodes } from './nodes.js';

/**
 * What must be known of a tree to append to it: the hashes of its complete subtrees, from the largest to the smallest
 * (a compact range that starts at 0). There are as many as `size` has one bits, so at most 53.
 */
export interface Frontier {
  readonly size: number;
  readonly hashes: readonly Uint8Array[];
}

export const emptyFrontier: Frontier = { size: 0, hashes: [] };

/** Appends leaf hashes; needs nothing of the tree but its frontier. */
export function appendLeaves(frontier: Frontier, leafHashes: Iterable<Uint8Array>): Frontier {
  const hashes = [...frontier.hashes];
  let size = frontier.size;
  for (const leaf of leafHashes) {
    let hash = leaf;
    // As in binary addition: each one bit at the end of the size is a subtree that the new leaf completes.
    for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
      const left = hashes.pop();
      if (left === undefined) throw new RangeError('The frontier lacks a hash for its size.');
      hash = nodeHash(left, hash);
    }
    hashes.push(hash);
    size += 1;
  }
  checkSize(size);
  return { size, hashes };
}

/** Root of the tree (RFC 9162 section 2.1.1). */
export function frontierRoot(frontier: Frontier): Uint8Array {
  return frontier.size === 0 ? emptyRoot() : hashOfNodes(frontier.hashes);
}
