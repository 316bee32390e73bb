import { CountersignError } from '@countersign/errors';
import { CompactEncrypt, importJWK, type JWK } from 'jose';
import { z } from 'zod';

const okp = z.strictObject({ kty: z.literal('OKP'), crv: z.literal('X25519'), x: z.string() });
const ec = z.strictObject({
  kty: z.literal('EC'),
  crv: z.enum(['P-256', 'P-384', 'P-521']),
  x: z.string(),
  y: z.string(),
});
const labels = { kid: z.string().optional(), use: z.string().optional(), alg: z.string().optional() };
const recipientShape = z.union([okp.extend(labels), ec.extend(labels)]);

export type RecipientKey = z.output<typeof recipientShape>;

/**
 * Reads the public JWK (RFC 7517) of whoever may open recordings.
 * Throws config.invalid; a private key is refused, since its holder could read what is sealed to it.
 */
export function readRecipientKey(text: string): RecipientKey {
  const parsed = recipientShape.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const detail = 'The recipient key of recordings is no public JWK for ECDH (X25519, P-256, P-384 or P-521).';
  throw new CountersignError('config.invalid', { detail });
}

/** Seals a session's secret: JWE compact (RFC 7516), ECDH-ES+A256KW, A256GCM. */
export async function sealSecret(
  recipient: RecipientKey,
  session: string,
  secret: Uint8Array,
): Promise<string> {
  const key = await importJWK(recipient as JWK, 'ECDH-ES+A256KW');
  const plain = JSON.stringify({
    version: 1,
    session,
    secret: Buffer.from(secret).toString('base64url'),
  });
  return new CompactEncrypt(Buffer.from(plain))
    .setProtectedHeader({
      alg: 'ECDH-ES+A256KW',
      enc: 'A256GCM',
      typ: 'countersign-recording-key',
      ...(recipient.kid === undefined ? {} : { kid: recipient.kid }),
    })
    .encrypt(key);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
