import { createDecipheriv } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Installation } from './installation.driver.js';
import type { Needle } from './needles.js';

/** The last 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410, section 7): its seed. */
const seedBytes = 32;
/** Shorter texts occur by chance. */
const shortest = 12;

interface WrappedKey {
  readonly nonce: string;
  readonly ciphertext: string;
  readonly tag: string;
}

/** The surrogates' key as the masking service unwraps it (AES-256-GCM). */
function valueKey(wrapped: string, wrapping: string): Buffer {
  const { nonce, ciphertext, tag } = JSON.parse(wrapped) as WrappedKey;
  const decipher = createDecipheriv(
    'aes-256-gcm',
    Buffer.from(wrapping, 'base64'),
    Buffer.from(nonce, 'base64'),
  );
  decipher.setAAD(Buffer.from('countersign/value-key/1')).setAuthTag(Buffer.from(tag, 'base64'));
  return Buffer.concat([decipher.update(Buffer.from(ciphertext, 'base64')), decipher.final()]);
}

function secretIn(file: string, text: string): Buffer | string | null {
  if (file.endsWith('.pem')) {
    const body = /-----BEGIN PRIVATE KEY-----([\s\S]*)-----END PRIVATE KEY-----/.exec(text)?.[1];
    return body === undefined ? null : Buffer.from(body, 'base64').subarray(-seedBytes);
  }
  if (file.endsWith('.private.jwk')) {
    return Buffer.from((JSON.parse(text) as { d: string }).d, 'base64url');
  }
  if (file.endsWith('.wrapped.key') || file.endsWith('.public.jwk')) return null;
  if (file.endsWith('.key')) return Buffer.from(text, 'base64');
  return text.trim();
}

/** Every key, password and connection string of an installation. */
export async function credentialsOf({ deployment, data }: Installation): Promise<readonly Needle[]> {
  const folder = join(data, 'secrets');
  const texts = new Map<string, string>();
  for (const file of await readdir(folder)) texts.set(file, await readFile(join(folder, file), 'utf8'));
  const found = [...texts].flatMap(([file, text]) => {
    const value = secretIn(file, text);
    return value === null ? [] : [{ name: file, value }];
  });
  const needles = [
    ...found,
    {
      name: 'key of the surrogates',
      value: valueKey(texts.get('surrogates.wrapped.key') ?? '', texts.get('surrogates.wrapping.key') ?? ''),
    },
    { name: 'superuser of the store', value: deployment.store.instance.password },
    { name: 'superuser of the target', value: deployment.target.instance.password },
  ];
  const short = needles.filter(({ value }) => value.length < shortest);
  if (short.length > 0) throw new Error(`Too short to be searched for: ${short.map(({ name }) => name)}.`);
  return needles;
}

/** A token in full, and its signature alone, which occurs nowhere else. */
export function tokenNeedles(name: string, token: string): readonly Needle[] {
  return [
    { name, value: token },
    { name: `signature of ${name}`, value: token.slice(token.lastIndexOf('.') + 1) },
  ];
}
