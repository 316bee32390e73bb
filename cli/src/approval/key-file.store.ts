import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { CountersignError } from '@countersign/errors';

export interface PublicKey {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
}

export interface KeyFile {
  readonly privateKey: KeyObject;
  readonly publicKey: PublicKey;
  /** Whether it was made just now. */
  readonly made: boolean;
}

const wrong = (detail: string, cause?: unknown) => new CountersignError('config.invalid', { detail, cause });

function keyOf(pem: string, file: string, made: boolean): KeyFile {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch (error) {
    throw wrong(`${file} holds no PEM private key.`, error);
  }
  if (privateKey.asymmetricKeyType !== 'ed25519') throw wrong(`${file} holds no Ed25519 key.`);
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { privateKey, publicKey: { kty: 'OKP', crv: 'Ed25519', x }, made };
}

/** Reads a private key. One that others may read is refused: it proves nothing any more. Throws config.invalid. */
export function readKeyFile(file: string): KeyFile {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    throw wrong(
      `The key file ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'}).`,
      error,
    );
  }
  try {
    const { mode, size } = fstatSync(descriptor);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw wrong(`Others may read the key file ${file}; allow only its owner (chmod 600).`);
    if (size > 16 * 1024) throw wrong(`${file} is too large for a key.`);
    return keyOf(readFileSync(descriptor, 'utf8'), file, false);
  } finally {
    closeSync(descriptor);
  }
}

/** The key in a file, made first (mode 0600) where there is none. An existing file is never written to. */
export function ensureKeyFile(file: string): KeyFile {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  try {
    writeFileSync(file, pem, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return readKeyFile(file);
    throw wrong(
      `The key file ${file} cannot be made (${(error as NodeJS.ErrnoException).code ?? 'error'}).`,
      error,
    );
  }
  return keyOf(String(pem), file, true);
}
