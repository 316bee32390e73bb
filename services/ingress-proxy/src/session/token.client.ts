import type { approvalRpc } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { compactVerify, createLocalJWKSet, errors, type JSONWebKeySet } from 'jose';
import { judgeToken, type TokenClaims } from './token.js';

/** The method of libs/rpc's client that is used here. */
export interface KeysRpc {
  keys(request: approvalRpc.KeysRequest): Promise<approvalRpc.KeysResponse>;
}

const TOKEN_LIMIT = 8 * 1024;
/** An unknown key is looked for again at most so often: wrong tokens must not become calls. */
const REFRESH_MILLISECONDS = 5_000;

type KeySet = ReturnType<typeof createLocalJWKSet>;

/** Verifies session tokens with the approval service's keys, kept until they are rotated. */
export class TokenVerifier {
  readonly #rpc: KeysRpc;
  readonly #issuer: string;
  readonly #now: () => number;
  #keys: Promise<KeySet> | null = null;
  #fetchedAt = Number.NEGATIVE_INFINITY;

  /** @param now milliseconds since 1970 */
  constructor(rpc: KeysRpc, issuer: string, now: () => number) {
    this.#rpc = rpc;
    this.#issuer = issuer;
    this.#now = now;
  }

  /** Keys have changed: they are fetched with the next token. */
  forget(): void {
    this.#keys = null;
  }

  /** @throws CountersignError auth.* for the token, approval.unavailable where there are no keys */
  async verify(token: string, target: string, user: string | null): Promise<TokenClaims> {
    if (token === '') throw new CountersignError('auth.token_missing');
    if (token.length > TOKEN_LIMIT || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) {
      throw new CountersignError('auth.token_invalid');
    }
    const payload = await this.#verified(token, true);
    return judgeToken(payload, { issuer: this.#issuer, target, user }, Math.floor(this.#now() / 1000));
  }

  async #verified(token: string, again: boolean): Promise<unknown> {
    const keys = await this.#keySet();
    try {
      const { payload } = await compactVerify(token, keys, { algorithms: ['EdDSA', 'Ed25519'] });
      return JSON.parse(Buffer.from(payload).toString('utf8')) as unknown;
    } catch (cause) {
      if (cause instanceof errors.JWKSNoMatchingKey && again && this.#mayRefresh()) {
        this.forget();
        return this.#verified(token, false);
      }
      throw new CountersignError('auth.token_invalid', { cause });
    }
  }

  #mayRefresh(): boolean {
    return this.#now() - this.#fetchedAt > REFRESH_MILLISECONDS;
  }

  #keySet(): Promise<KeySet> {
    this.#keys ??= this.#fetch().catch((cause: unknown) => {
      this.#keys = null;
      throw new CountersignError('approval.unavailable', { cause });
    });
    return this.#keys;
  }

  async #fetch(): Promise<KeySet> {
    this.#fetchedAt = this.#now();
    const { jwks } = await this.#rpc.keys({});
    return createLocalJWKSet(JSON.parse(jwks.toString('utf8')) as JSONWebKeySet);
  }
}
