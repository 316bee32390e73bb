import { randomBytes } from 'node:crypto';
import type { Database, Transaction } from '../storage/index.js';
import { type Content, openContent, randomnessBytes, sealContent } from './content.js';

/** Keys that wrap content keys: the first wraps new ones, the others only open what they once wrapped. */
export type KeyEncryptionKeys = readonly [Uint8Array, ...Uint8Array[]];

/** The exact statements, encrypted. */
export class Contents {
  readonly #database: Database;
  readonly #keys: () => KeyEncryptionKeys;

  constructor(database: Database, keys: () => KeyEncryptionKeys) {
    this.#database = database;
    this.#keys = keys;
  }

  async keep({ client }: Transaction, approval: string, content: Content): Promise<void> {
    const { wrappedKey, sealed } = sealContent(approval, content, this.#keys()[0], {
      key: randomBytes(randomnessBytes.key),
      keyNonce: randomBytes(randomnessBytes.nonce),
      contentNonce: randomBytes(randomnessBytes.nonce),
    });
    await client.query('insert into approval_content values ($1, $2, $3)', [approval, wrappedKey, sealed]);
  }

  /** Null once its key was erased. */
  async open({ client }: Transaction, approval: string): Promise<Content | null> {
    const { rows } = await client.query<{ wrapped_key: Buffer | null; sealed: Buffer }>(
      'select wrapped_key, sealed from approval_content where approval = $1',
      [approval],
    );
    const row = rows[0];
    if (row === undefined || row.wrapped_key === null) return null;
    return openContent(approval, { wrappedKey: row.wrapped_key, sealed: row.sealed }, this.#keys());
  }

  /** Forgets what was asked of ended approvals: erases the keys of those that ended before, seconds since 1970. */
  async eraseEndedBefore(before: number): Promise<void> {
    await this.#database.query(
      `update approval_content set wrapped_key = null
       where wrapped_key is not null and approval in
         (select id from approval where ended_at is not null and ended_at < $1)`,
      [before],
    );
  }
}
