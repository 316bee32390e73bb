import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { z } from 'zod';

/** The exact action, as an approver must see it. */
export interface Content {
  readonly statement: string;
  /** Base64 of the bytes of each parameter, null for SQL NULL. */
  readonly parameters: readonly (string | null)[];
  /** For each parameter what is to be said of its binary form, null for text; absent where all are text. */
  readonly binary?: readonly (BinaryForm | null)[];
}

export interface BinaryForm {
  /** Type OID as the agent declared it, 0 where it did not. */
  readonly type: number;
  /** How a person reads the value, with its type. */
  readonly shown: string;
}

export interface SealedContent {
  /** The content key under the key-encryption key. Without it the rest cannot be read by anybody. */
  readonly wrappedKey: Buffer;
  readonly sealed: Buffer;
}

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
/** First bytes of a wrapped key: which key-encryption key wraps it. */
const labelBytes = 8;

const contentSchema = z.strictObject({
  statement: z.string(),
  parameters: z.array(z.string().nullable()),
  binary: z.array(z.strictObject({ type: z.int(), shown: z.string() }).nullable()).exactOptional(),
});

/** AES-256-GCM (NIST SP 800-38D): nonce ‖ ciphertext ‖ tag. A key is used once, or with random nonces. */
function encrypt(key: Uint8Array, nonce: Uint8Array, context: string, plain: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Uint8Array, context: string, sealed: Uint8Array): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()]);
}

const labelOf = (key: Uint8Array) =>
  createHash('sha256').update('countersign/content-key-label').update(key).digest().subarray(0, labelBytes);

/** Fresh randomness for one content. */
export interface ContentRandomness {
  readonly key: Uint8Array;
  readonly keyNonce: Uint8Array;
  readonly contentNonce: Uint8Array;
}
export const randomnessBytes = { key: keyBytes, nonce: nonceBytes } as const;

/** Seals a content for one approval: it opens under no other approval's id. */
export function sealContent(
  approval: string,
  content: Content,
  keyEncryptionKey: Uint8Array,
  randomness: ContentRandomness,
): SealedContent {
  const wrapped = encrypt(keyEncryptionKey, randomness.keyNonce, `key/${approval}`, randomness.key);
  return {
    wrappedKey: Buffer.concat([labelOf(keyEncryptionKey), wrapped]),
    sealed: encrypt(
      randomness.key,
      randomness.contentNonce,
      `content/${approval}`,
      Buffer.from(JSON.stringify(content)),
    ),
  };
}

/** Opens a content with whichever of the keys wraps it; null where none does, or where it was tampered with. */
export function openContent(
  approval: string,
  { wrappedKey, sealed }: SealedContent,
  keyEncryptionKeys: readonly Uint8Array[],
): Content | null {
  const wrapping = keyEncryptionKeys.find((key) => labelOf(key).equals(wrappedKey.subarray(0, labelBytes)));
  if (wrapping === undefined) return null;
  try {
    const key = decrypt(wrapping, `key/${approval}`, wrappedKey.subarray(labelBytes));
    const text = decrypt(key, `content/${approval}`, sealed).toString('utf8');
    return contentSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
