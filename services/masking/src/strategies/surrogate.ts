import { createHmac, hkdfSync } from 'node:crypto';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** RFC 4648 base32, lower case, without padding. */
export function base32(bytes: Uint8Array): string {
  let bits = 0;
  let held = 0;
  let text = '';
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      text += ALPHABET[(held >>> (bits - 5)) & 31] ?? '';
      bits -= 5;
    }
    held &= (1 << bits) - 1;
  }
  return bits > 0 ? text + (ALPHABET[(held << (5 - bits)) & 31] ?? '') : text;
}

/** The key of a label at a target (HKDF-SHA-256, RFC 5869): surrogates of two labels or targets cannot be compared. */
export function labelKey(valueKey: Uint8Array, target: string, label: string): Buffer {
  const purpose = JSON.stringify(['countersign/surrogate/1', target, label]);
  return Buffer.from(hkdfSync('sha256', valueKey, Buffer.alloc(0), purpose, 32));
}

/** `s_` and 128 bits of HMAC-SHA-256 (RFC 2104) in base32. The same value under the same key is the same surrogate. */
export function surrogateOf(key: Uint8Array, value: Uint8Array): string {
  return `s_${base32(createHmac('sha256', key).update(value).digest().subarray(0, 16))}`;
}
