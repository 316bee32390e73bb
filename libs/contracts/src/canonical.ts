import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** `sha256:` and 64 hexadecimal digits. */
export type Digest = `sha256:${string}`;

/** RFC 8785 canonical JSON. Throws a TypeError on what JSON cannot hold. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('The value has no JSON form.');
  return text;
}

/** SHA-256 (FIPS 180-4) of exact bytes; a string stands for its UTF-8 bytes. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Digest of a value's RFC 8785 canonical JSON. */
export function digestOfJson(value: unknown): Digest {
  return digestOf(canonicalJson(value));
}

/**
 * A salted commitment, SHA-256(salt ‖ bytes): binds without telling, however guessable the bytes are.
 * @param salt at least 16 bytes
 */
export function commitmentOf(salt: Uint8Array, bytes: Uint8Array | string): Digest {
  if (salt.length < 16) throw new RangeError('A salt has at least 16 bytes.');
  return `sha256:${createHash('sha256').update(salt).update(bytes).digest('hex')}`;
}
