import { randomBytes } from 'node:crypto';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** 80 random bits in base32 (RFC 4648, lower case): tells nothing of who it stands for. */
export function randomSlug(): string {
  return [...randomBytes(16)].map((byte) => alphabet[byte & 31]).join('');
}
