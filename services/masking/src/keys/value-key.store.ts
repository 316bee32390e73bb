import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { CountersignError } from '@countersign/errors';
import { newValueKey, unwrapKey, wrapKey } from './value-key.js';

/** Writes a new wrapped value key, for its owner alone. Never over another: surrogates would change meaning. */
function create(file: string, keyEncryptionKey: Uint8Array): void {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    writeSync(descriptor, `${JSON.stringify(wrapKey(newValueKey(), keyEncryptionKey))}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The value key, unwrapped.
 * @throws config.invalid where it cannot be read, or is absent and may not be made
 */
export function openValueKey(file: string, keyEncryptionKey: Uint8Array, mayCreate: boolean): Buffer {
  let text: string;
  try {
    if (mayCreate && !existsSync(file)) create(file, keyEncryptionKey);
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CountersignError('config.invalid', {
      detail: `The value key file ${file} cannot be read.`,
      cause,
    });
  }
  return unwrapKey(text, keyEncryptionKey);
}
