import { emptyRoot } from './hashes.js';
import { checkSize, hashOfNodes, type LeafRange, type NodeCoordinate, nodesOf } from './nodes.js';
import { consistencyRanges, inclusionRanges } from './ranges.js';

/** Reads the hashes of complete subtrees, in the order asked. Rejects where it lacks one. */
export type HashReader = (nodes: readonly NodeCoordinate[]) => Promise<readonly Uint8Array[]>;

/** Inclusion proof of a leaf (RFC 9162 section 2.1.3.1). Rejects with a RangeError unless index < size. */
export async function proveInclusion(
  index: number,
  size: number,
  read: HashReader,
): Promise<readonly Uint8Array[]> {
  return hashesOf(inclusionRanges(index, size), read);
}

/** Consistency proof between two trees (RFC 9162 section 2.1.4.1). Rejects with a RangeError unless first ≤ second. */
export async function proveConsistency(
  first: number,
  second: number,
  read: HashReader,
): Promise<readonly Uint8Array[]> {
  return hashesOf(consistencyRanges(first, second), read);
}

/** Root of the tree of `size` leaves. */
export async function readRoot(size: number, read: HashReader): Promise<Uint8Array> {
  checkSize(size);
  if (size === 0) return emptyRoot();
  return hashOfNodes(await read(nodesOf({ start: 0, end: size })));
}

/** All hashes in one read, so that a reader may fetch what it needs at once. */
async function hashesOf(ranges: readonly LeafRange[], read: HashReader): Promise<readonly Uint8Array[]> {
  const nodes = ranges.map(nodesOf);
  const hashes = await read(nodes.flat());
  let offset = 0;
  return nodes.map(({ length }) => {
    const part = hashes.slice(offset, offset + length);
    offset += length;
    return hashOfNodes(part);
  });
}
