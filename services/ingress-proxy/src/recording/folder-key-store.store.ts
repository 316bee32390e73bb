import { mkdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { CountersignError } from '@countersign/errors';
import type { RecordingKeyStore } from './key-store.js';
import { type RecipientKey, sealSecret } from './sealing.js';

/**
 * Sealed secrets as files `<session>.jwe` in one folder. A file is never written twice, and it is on disk (with its
 * name) before a session begins: a power cut leaves no session whose commitments cannot be opened.
 */
export function openFolderKeyStore(folder: string, recipient: RecipientKey): RecordingKeyStore {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new CountersignError('config.invalid', {
      detail: 'The folder of recordings cannot be made.',
      cause,
    });
  }
  return {
    async seal(session, secret) {
      // Session ids are made by the gateway, but a path is a path.
      if (!/^[0-9a-f-]{36}$/.test(session)) throw new CountersignError('internal');
      const sealed = await sealSecret(recipient, session, secret);
      await synced(await open(join(folder, `${session}.jwe`), 'wx', 0o600), sealed);
      await synced(await open(folder, 'r'), null);
    },
  };
}

async function synced(handle: FileHandle, text: string | null): Promise<void> {
  try {
    if (text !== null) await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
