import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

/**
 * The only place that reaches for cryptography. Everything else in this package is plain ECMAScript, so that a build
 * for the browser replaces this one file.
 */

/** SHA-256 (FIPS 180-4). */
export function sha256(bytes: Uint8Array): Uint8Array {
  return plain(hash('sha256', bytes, 'buffer'));
}

/** An Ed25519 public key (RFC 8032), ready to verify. */
export interface Ed25519PublicKey {
  /** 32 bytes, RFC 8032 section 5.1.5. */
  readonly bytes: Uint8Array;
  verify(message: Uint8Array, signature: Uint8Array): boolean;
}

/** An Ed25519 private key (RFC 8032), ready to sign. */
export interface Ed25519PrivateKey {
  readonly publicKey: Ed25519PublicKey;
  /** 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
}

/** DER of a SubjectPublicKeyInfo (RFC 8410 section 4) up to the 32 bytes of the key. */
const SPKI_PREFIX = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00);

/** SubjectPublicKeyInfo in DER of a raw Ed25519 key: what fingerprints are taken of. */
export function ed25519Spki(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== 32) throw new RangeError('An Ed25519 public key has 32 bytes.');
  const spki = new Uint8Array(SPKI_PREFIX.length + 32);
  spki.set(SPKI_PREFIX);
  spki.set(bytes, SPKI_PREFIX.length);
  return spki;
}

/** @param bytes 32 bytes; throws a RangeError otherwise. */
export function ed25519PublicKey(bytes: Uint8Array): Ed25519PublicKey {
  const key = createPublicKey({ key: Buffer.from(ed25519Spki(bytes)), format: 'der', type: 'spki' });
  return {
    bytes,
    verify: (message, signature) => signature.length === 64 && verify(null, message, key, signature),
  };
}

/** @param pem PKCS #8; throws a TypeError where it is no Ed25519 key. */
export function ed25519PrivateKey(pem: string | KeyObject): Ed25519PrivateKey {
  const key = typeof pem === 'string' ? createPrivateKey(pem) : pem;
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('The private key is not an Ed25519 key.');
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return {
    publicKey: ed25519PublicKey(plain(spki.subarray(SPKI_PREFIX.length))),
    sign: (message) => plain(sign(null, message, key)),
  };
}

/** The same bytes without Node's subclass, whose `slice` shares memory where every other byte array copies. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
