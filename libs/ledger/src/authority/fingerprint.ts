import { createHash, createPublicKey, KeyObject } from 'node:crypto';

/**
 * Fingerprint of a public key: `sha256:` and the SHA-256 of its SubjectPublicKeyInfo (RFC 5280) in DER.
 * @param key PEM of a key or of a certificate, or a key object
 */
export function fingerprintOf(key: string | KeyObject): string {
  const publicKey = key instanceof KeyObject && key.type === 'public' ? key : createPublicKey(key);
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(der).digest('hex')}`;
}
