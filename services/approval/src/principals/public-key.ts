import { createHash } from 'node:crypto';
import { CountersignError } from '@countersign/errors';
import { z } from 'zod';
import { isUsablePoint } from './ed25519-point.js';

/** An Ed25519 public key as a JSON Web Key (RFC 8037), its required members only. */
export interface PublicKey {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  /** 32 bytes, base64url. */
  readonly x: string;
}

/** What callers may send: extra members are dropped, private ones refused. */
export const publicKeySchema = z
  .object({
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    x: z.string().length(43).describe('32 bytes, base64url'),
    d: z.never('a private key must never leave its owner').optional(),
  })
  .describe('Ed25519 public key as JWK (RFC 8037)');

/**
 * Checks that a key is one that only its owner can sign for, and brings it to its one form, so that the same key can never
 * pass for two. Throws request.invalid.
 */
export function readPublicKey(jwk: z.output<typeof publicKeySchema>): PublicKey {
  const bytes = Buffer.from(jwk.x, 'base64url');
  if (bytes.length !== 32 || bytes.toString('base64url') !== jwk.x) {
    throw new CountersignError('request.invalid', { detail: 'x: not 32 bytes in canonical base64url.' });
  }
  if (!isUsablePoint(bytes)) {
    throw new CountersignError('request.invalid', { detail: 'x: not a usable Ed25519 public key.' });
  }
  return { kty: 'OKP', crv: 'Ed25519', x: jwk.x };
}

/** SHA-256 thumbprint of a key, base64url (RFC 7638): members in lexicographic order, no white space. */
export function thumbprintOf(key: PublicKey): string {
  const text = `{"crv":"${key.crv}","kty":"${key.kty}","x":"${key.x}"}`;
  return createHash('sha256').update(text).digest('base64url');
}
