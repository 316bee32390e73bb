import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CryptoKey, compactDecrypt } from 'jose';

export interface LoggedStatement {
  readonly session: string;
  readonly text: string;
}

/**
 * What began to run at the target in sessions of the gateway, by the target's own log (log_statement = all, jsonlog). What
 * it calls an `execute fetch from` is more of what began before.
 */
export function statementsIn(logFile: string): readonly LoggedStatement[] {
  return readFileSync(logFile, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const entry = JSON.parse(line) as { application_name?: string; message?: string };
      const session = /^countersign\/(.+)$/.exec(entry.application_name ?? '')?.[1];
      const text = /^(?:statement|execute (?!fetch from )[^:]+): ([\s\S]*)$/.exec(entry.message ?? '')?.[1];
      return session === undefined || text === undefined ? [] : [{ session, text }];
    });
}

/** The secret of a session, as the holder of the recipient's key opens it. */
export async function secretOf(folder: string, session: string, key: CryptoKey): Promise<Buffer> {
  const sealed = readFileSync(join(folder, 'recordings', `${session}.jwe`), 'utf8');
  const { plaintext } = await compactDecrypt(sealed, key);
  const { secret } = JSON.parse(Buffer.from(plaintext).toString()) as { secret: string };
  return Buffer.from(secret, 'base64url');
}
