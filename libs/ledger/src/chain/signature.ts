import { type KeyObject, sign, verify } from 'node:crypto';

/**
 * Ed25519 (RFC 8032) over the 32 raw bytes of an event's SHA-256. An epoch key signs nothing else, so no
 * further domain separation is needed, and common tools can check it.
 * @param hash lower-case hexadecimal
 */
export function signHash(hash: string, privateKey: KeyObject): Uint8Array {
  return sign(null, Buffer.from(hash, 'hex'), privateKey);
}

export function verifyHash(hash: string, signature: Uint8Array, publicKey: KeyObject): boolean {
  return signature.length === 64 && verify(null, Buffer.from(hash, 'hex'), publicKey, signature);
}
