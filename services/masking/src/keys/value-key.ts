import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { CountersignError } from '@countersign/errors';
import { z } from 'zod';

/** Bound to the wrapping, so that a key wrapped for another purpose does not open as this one. */
const PURPOSE = Buffer.from('countersign/value-key/1');
const KEY_BYTES = 32;

const base64 = z.base64();
const wrappedShape = z.strictObject({
  version: z.literal(1),
  algorithm: z.literal('AES-256-GCM'),
  nonce: base64,
  ciphertext: base64,
  tag: base64,
});

/** A value key as it is stored: readable only with the key-encryption key (AES-256-GCM, NIST SP 800-38D). */
export type WrappedKey = z.infer<typeof wrappedShape>;

/**
 * The key-encryption key from its text: 32 bytes, as base64 or as 64 hexadecimal digits.
 * @throws config.invalid
 */
export function readKeyEncryptionKey(text: string): Buffer {
  const trimmed = text.trim();
  const key = Buffer.from(trimmed, /^[0-9a-fA-F]{64}$/.test(trimmed) ? 'hex' : 'base64');
  if (key.length !== KEY_BYTES)
    throw new CountersignError('config.invalid', {
      detail: 'The key-encryption key is not 32 bytes in base64 or hexadecimal.',
    });
  return key;
}

export function wrapKey(key: Uint8Array, keyEncryptionKey: Uint8Array): WrappedKey {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keyEncryptionKey, nonce).setAAD(PURPOSE);
  const ciphertext = Buffer.concat([cipher.update(key), cipher.final()]);
  return {
    version: 1,
    algorithm: 'AES-256-GCM',
    nonce: nonce.toString('base64'),
    ciphertext: ciphertext.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
  };
}

/** @throws config.invalid where the text is no wrapped key, or was wrapped with another key-encryption key */
export function unwrapKey(text: string, keyEncryptionKey: Uint8Array): Buffer {
  try {
    const wrapped = wrappedShape.parse(JSON.parse(text));
    const decipher = createDecipheriv('aes-256-gcm', keyEncryptionKey, Buffer.from(wrapped.nonce, 'base64'), {
      authTagLength: 16,
    })
      .setAAD(PURPOSE)
      .setAuthTag(Buffer.from(wrapped.tag, 'base64'));
    const key = Buffer.concat([decipher.update(Buffer.from(wrapped.ciphertext, 'base64')), decipher.final()]);
    if (key.length === KEY_BYTES) return key;
  } catch {
    // Why it does not open is nobody's business.
  }
  throw new CountersignError('config.invalid', {
    detail: 'The value key cannot be unwrapped with the key-encryption key.',
  });
}

export function newValueKey(): Buffer {
  return randomBytes(KEY_BYTES);
}
