import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { CountersignError } from '@countersign/errors';
import type { JSONWebKeySet, JWK } from 'jose';
import { thumbprintOf } from '../principals/index.js';
import type { Database } from '../storage/index.js';

/** How long a retired key stays published beyond the life of the last token that it signed, seconds. */
const margin = 60;

export interface SigningKey {
  /** RFC 7638 thumbprint. */
  readonly id: string;
  readonly privateKey: KeyObject;
}

interface Row {
  readonly id: string;
  readonly key: JWK;
}

function readKey(pem: string): { signing: SigningKey; publicKey: JWK } {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch (cause) {
    throw new CountersignError('config.invalid', { detail: 'tokens.signingKey: no PEM private key.', cause });
  }
  if (privateKey.asymmetricKeyType !== 'ed25519') {
    throw new CountersignError('config.invalid', { detail: 'tokens.signingKey: no Ed25519 key.' });
  }
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  const publicKey = { kty: 'OKP', crv: 'Ed25519', x } as const;
  return { signing: { id: thumbprintOf(publicKey), privateKey }, publicKey };
}

export interface SigningKeysOptions {
  readonly database: Database;
  /** PEM (PKCS #8) of the Ed25519 key; read again at each refresh. */
  readonly readPem: () => string;
  /** Longest life of a token, seconds. */
  readonly longestLife: number;
  /** Seconds since 1970. */
  readonly now: () => number;
}

/**
 * The key that signs tokens, and all whose tokens may still live. A key that is new in the file is published at one refresh
 * and signs from the next on, so that verifiers know it by then; the one it replaces stays published until its last token has
 * expired.
 */
export class SigningKeys {
  readonly #options: SigningKeysOptions;
  #current: SigningKey | undefined;
  /** Id of a key that is published and will sign next. */
  #announced: string | undefined;
  #published: readonly Row[] = [];

  constructor(options: SigningKeysOptions) {
    this.#options = options;
  }

  get current(): SigningKey {
    if (this.#current === undefined) throw new CountersignError('approval.unavailable');
    return this.#current;
  }

  /** JSON Web Key Set (RFC 7517) of all keys whose tokens may be alive. */
  get keySet(): JSONWebKeySet {
    return {
      keys: this.#published.map(({ id, key }) => ({ ...key, kid: id, use: 'sig', alg: 'EdDSA' })),
    };
  }

  /** Reads file and database again. Throws config.invalid for a key that cannot sign. */
  async refresh(): Promise<void> {
    const { database, readPem, longestLife, now } = this.#options;
    const { signing, publicKey } = readKey(readPem());
    const isNew = signing.id !== this.#current?.id;
    const signs = this.#current === undefined || !isNew || this.#announced === signing.id;
    this.#published = await database.transaction(async (transaction) => {
      const { client } = transaction;
      const added = await client.query(
        `insert into token_key (id, key) values ($1, $2)
         on conflict (id) do update set retired_at = null where token_key.retired_at is not null`,
        [signing.id, JSON.stringify(publicKey)],
      );
      if (added.rowCount === 1) await transaction.announce({ kind: 'keys-rotated' });
      if (signs && isNew) {
        await client.query('update token_key set retired_at = $2 where id <> $1 and retired_at is null', [
          signing.id,
          now(),
        ]);
      }
      await client.query('delete from token_key where retired_at < $1', [now() - longestLife - margin]);
      const { rows } = await client.query<Row>(
        'select id, key from token_key order by retired_at desc nulls first, id',
      );
      return rows;
    });
    this.#announced = signing.id;
    if (signs) this.#current = signing;
  }
}
