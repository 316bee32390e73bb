import type { HashReader } from '../tree/index.js';
import { leafHash, nodeHash } from '../tree/index.js';

export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

/** Leaf hashes of `size` small entries. */
export function sampleLeaves(size: number): Uint8Array[] {
  return Array.from({ length: size }, (_, index) => leafHash(new TextEncoder().encode(`entry ${index}`)));
}

/** The root by the very words of RFC 9162 section 2.1.1: what all else is compared with. */
export function definedRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (first === undefined) throw new RangeError('The definition of a subtree starts at one leaf.');
  if (leaves.length === 1) return first;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(definedRoot(leaves.slice(0, split)), definedRoot(leaves.slice(split)));
}

/** Reads nodes by computing them from all leaves. */
export function readerOf(leaves: readonly Uint8Array[]): HashReader {
  return async (nodes) =>
    nodes.map(({ level, index }) => definedRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)));
}
