import { gunzipSync, gzipSync } from 'node:zlib';
import { CountersignError } from '@countersign/errors';
import { Header } from 'tar';

/** Limits on a bundle, in bytes and members: far above any policy, far below what hurts. */
export const bundleLimits = {
  packed: 4 * 1024 * 1024,
  unpacked: 16 * 1024 * 1024,
  members: 512,
} as const;

/** Members of a bundle by relative path. */
export type Members = ReadonlyMap<string, Uint8Array>;

const BLOCK = 512;
const memberName = /^\.?[A-Za-z0-9_][A-Za-z0-9_.-]*(\/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$/;

/**
 * Reads a gzipped tar archive (POSIX.1-1988 ustar) of plain files. A leading `/`, which opa writes, is dropped.
 * @throws policy.bundle_invalid on anything else: links, folders, extended headers, repeated or odd names, excess
 */
export function unpack(archive: Uint8Array): Members {
  if (archive.length > bundleLimits.packed) throw invalid('The file is too large.');
  const bytes = gunzip(archive);
  const members = new Map<string, Uint8Array>();
  let position = 0;
  while (position + BLOCK <= bytes.length) {
    const header = headerAt(bytes, position);
    if (header === null) break;
    const { name, size } = header;
    const start = position + BLOCK;
    if (start + size > bytes.length) throw invalid('The archive is cut off.');
    if (members.has(name)) throw invalid('The archive holds a file twice.');
    if (members.size >= bundleLimits.members) throw invalid('The archive holds too many files.');
    members.set(name, bytes.subarray(start, start + size));
    position = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  if (bytes.subarray(position).some((byte) => byte !== 0))
    throw invalid('The archive is followed by more bytes.');
  return members;
}

/** Packs files so that equal contents give equal archives under one version of zlib: sorted, without times or owners. */
export function pack(members: Members): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const [path, content] of [...members].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const header = new Header({ path, mode: 0o644, uid: 0, gid: 0, size: content.length, type: 'File' });
    header.mtime = new Date(0);
    const block = Buffer.alloc(BLOCK);
    if (!memberName.test(path) || header.encode(block)) throw invalid(`The name ${path} does not fit.`);
    blocks.push(block, content, new Uint8Array((BLOCK - (content.length % BLOCK)) % BLOCK));
  }
  blocks.push(new Uint8Array(2 * BLOCK));
  return gzipSync(Buffer.concat(blocks), { level: 9 });
}

/** The tar archive within: equal for equal contents whatever packed it. */
export function gunzip(archive: Uint8Array): Uint8Array {
  try {
    return gunzipSync(archive, { maxOutputLength: bundleLimits.unpacked });
  } catch (cause) {
    throw invalid('The file is no gzip archive, or a too large one.', cause);
  }
}

function headerAt(bytes: Uint8Array, position: number): { name: string; size: number } | null {
  const header = decodeHeader(bytes, position);
  if (header.nullBlock) return null;
  if (!header.cksumValid) throw invalid('A header of the archive is damaged.');
  if (header.type !== 'File' && header.type !== 'OldFile')
    throw invalid('The archive holds more than plain files.');
  const name = (header.path ?? '').replace(/^\//, '');
  if (!memberName.test(name)) throw invalid('The archive holds a file with an odd name.');
  const size = header.size ?? -1;
  if (!Number.isSafeInteger(size) || size < 0) throw invalid('A header of the archive is damaged.');
  return { name, size };
}

function decodeHeader(bytes: Uint8Array, position: number): Header {
  try {
    return new Header(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), position);
  } catch (cause) {
    throw invalid('A header of the archive is damaged.', cause);
  }
}

/** The one error of a bundle that cannot be used. */
export function invalid(detail: string, cause?: unknown): CountersignError {
  return new CountersignError('policy.bundle_invalid', { detail, cause });
}
