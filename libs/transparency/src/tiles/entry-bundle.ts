import { FormatError } from '../format-error.js';
import { TILE_WIDTH } from './path.js';

/** Longest entry that a bundle can hold: its length is a big-endian uint16 (C2SP tlog-tiles). */
export const MAXIMUM_ENTRY_LENGTH = 0xffff;

/** Entries as one bundle. Throws a RangeError for an entry over 65,535 bytes or more than 256 of them. */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length > TILE_WIDTH) throw new RangeError('A bundle holds at most 256 entries.');
  const bundle = new Uint8Array(entries.reduce((length, entry) => length + 2 + entry.length, 0));
  const view = new DataView(bundle.buffer);
  let offset = 0;
  for (const entry of entries) {
    if (entry.length > MAXIMUM_ENTRY_LENGTH) throw new RangeError('An entry has at most 65535 bytes.');
    view.setUint16(offset, entry.length);
    bundle.set(entry, offset + 2);
    offset += 2 + entry.length;
  }
  return bundle;
}

/** The entries of a bundle's bytes. Throws a FormatError unless they are exactly `width` whole entries. */
export function decodeEntryBundle(bundle: Uint8Array, width: number): readonly Uint8Array[] {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const entries: Uint8Array[] = [];
  let offset = 0;
  while (offset < bundle.length && entries.length < width) {
    const start = offset + 2;
    const end = start <= bundle.length ? start + view.getUint16(offset) : Number.POSITIVE_INFINITY;
    if (end > bundle.length) throw new FormatError('The bundle ends within an entry.');
    entries.push(bundle.subarray(start, end));
    offset = end;
  }
  if (entries.length !== width || offset !== bundle.length)
    throw new FormatError('The bundle holds another number of entries.');
  return entries;
}
