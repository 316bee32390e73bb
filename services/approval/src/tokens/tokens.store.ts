import { createHash, createPublicKey } from 'node:crypto';
import { CountersignError, toCountersignError } from '@countersign/errors';
import { compactVerify, decodeJwt } from 'jose';
import { v7 as newId } from 'uuid';
import type { Actor } from '../aggregate/index.js';
import { type Grants, grantAggregate, refusalToUse } from '../grants/index.js';
import type { ListedPrincipal, Principals } from '../principals/index.js';
import type { Database } from '../storage/index.js';
import { signToken, verifyToken } from './access-token.js';
import { checkAssertion, claimedPrincipal, longestAssertion } from './assertion.js';
import { approvalAudience, claimsFor, type TokenWish } from './claims.js';
import type { Refusals } from './refusals.store.js';
import type { SigningKeys } from './signing-keys.store.js';

export interface TokensOptions {
  readonly database: Database;
  readonly principals: Principals;
  readonly grants: Grants;
  readonly keys: SigningKeys;
  readonly refusals: Refusals;
  readonly issuer: string;
  /** Values of `aud` that an assertion may name. */
  readonly audiences: readonly string[];
  /** Life of a token, seconds. */
  readonly life: number;
  /** Seconds since 1970. */
  readonly now: () => number;
}

export interface IssuedToken {
  readonly token: string;
  /** Seconds. */
  readonly expiresIn: number;
}

interface Proof {
  readonly principal: ListedPrincipal;
  readonly assertionExpiresAt: number;
  readonly digest: Buffer;
}

const unproved = (detail?: string, cause?: unknown) =>
  new CountersignError('auth.proof_invalid', { ...(detail === undefined ? {} : { detail }), cause });

/** Trades proofs of an enrolled key for short-lived tokens, and tells who bears one. */
export class Tokens {
  readonly #options: TokensOptions;

  constructor(options: TokensOptions) {
    this.#options = options;
  }

  /** Issues a token for a client assertion (RFC 7523). Each refusal is an event. */
  async exchange(
    assertion: string,
    wish: TokenWish & { readonly client?: string | undefined },
  ): Promise<IssuedToken> {
    let principal: string | null = null;
    try {
      const proof = await this.#prove(assertion);
      if (wish.client !== undefined && wish.client !== proof.principal.id) {
        throw unproved('client_id must be its signer.');
      }
      principal = proof.principal.id;
      await this.#spend(proof);
      return await this.#issue(proof.principal, wish);
    } catch (thrown) {
      const error = toCountersignError(thrown);
      if (error.entry.http < 500) await this.#options.refusals.record({ principal, code: error.code });
      throw error;
    }
  }

  /** Verifies the signature with the one key that is enrolled for whom the assertion names. */
  async #prove(assertion: string): Promise<Proof> {
    const { principals, audiences, now } = this.#options;
    if (assertion.length > longestAssertion) throw unproved('It is too long.');
    let claimed: { id: string } | null;
    try {
      claimed = claimedPrincipal(decodeJwt(assertion));
    } catch (error) {
      throw unproved('It is not a JSON Web Token.', error);
    }
    if (claimed === null) throw unproved('iss and sub must be the id of its signer.');
    const principal = await principals.find(claimed.id);
    if (principal === null) throw new CountersignError('auth.principal_unknown');
    let claims: unknown;
    try {
      const key = createPublicKey({ key: { ...principal.key }, format: 'jwk' });
      const { payload } = await compactVerify(assertion, key, { algorithms: ['EdDSA'] });
      // Not JSON where the header says that the payload is not encoded (RFC 7797).
      claims = JSON.parse(Buffer.from(payload).toString('utf8'));
    } catch (error) {
      throw unproved('Its signature is not one by the enrolled key.', error);
    }
    const check = checkAssertion(claims, { principal: principal.id, audiences, now: now() });
    if (!check.valid) throw unproved(check.detail);
    const digest = createHash('sha256').update(`${principal.id} ${check.jti}`).digest();
    return { principal, assertionExpiresAt: check.expiresAt, digest };
  }

  /** An assertion is good once, also across restarts and instances. */
  async #spend({ digest, assertionExpiresAt }: Proof): Promise<void> {
    const rows = await this.#options.database.query(
      'insert into used_assertion values ($1, $2) on conflict do nothing returning 1',
      [digest, assertionExpiresAt],
    );
    if (rows.length === 0) throw unproved('It was used before.');
  }

  async #issue(principal: ListedPrincipal, wish: TokenWish): Promise<IssuedToken> {
    const { database, grants, keys, issuer, life, now } = this.#options;
    const grant = wish.grant === null ? null : await grants.find(wish.grant);
    const claims = claimsFor(principal, wish, grant);
    const tokenId = newId();
    const issuedAt = now();
    const expiresAt = Math.min(issuedAt + life, grant?.expiresAt ?? Number.POSITIVE_INFINITY);
    await database.transaction(async (transaction) => {
      if (grant !== null) {
        const refusal = refusalToUse(await transaction.load(grantAggregate, grant.id), issuedAt);
        if (refusal !== null) throw new CountersignError(refusal);
      }
      await transaction.publish({
        type: 'countersign.token.issued.v1',
        data: {
          ...{ principal: principal.id, kind: principal.kind, audience: claims.aud },
          ...{ grant: grant?.id ?? null, role: grant?.role ?? null, tokenId, expiresAt },
        },
        origin: principal.kind,
      });
    });
    const token = await signToken(claims, issuer, keys.current, { id: tokenId, issuedAt, expiresAt });
    return { token, expiresIn: expiresAt - issuedAt };
  }

  /**
   * Who bears a token for this service's API. What the enrolment no longer gives, a token that is still alive does not give
   * either. Each refusal is an event.
   */
  async authenticate(token: string | null): Promise<Actor> {
    const { keys, issuer, principals, refusals, now } = this.#options;
    try {
      if (token === null) throw new CountersignError('auth.token_missing');
      if (token.length > longestAssertion) throw new CountersignError('auth.token_invalid');
      const bearer = await verifyToken(token, {
        ...{ keySet: keys.keySet, issuer, audience: approvalAudience, now: now() },
      });
      const principal = await principals.find(bearer.sub);
      if (principal === null || principal.kind !== bearer.kind)
        throw new CountersignError('auth.token_invalid');
      if (principal.status !== 'enrolled') throw new CountersignError('auth.principal_disabled');
      const roles = principal.roles.filter((role) => bearer.roles.includes(role));
      return { id: principal.id, kind: principal.kind, roles };
    } catch (thrown) {
      const error = toCountersignError(thrown);
      if (error.entry.http < 500) await refusals.record({ principal: null, code: error.code });
      throw error;
    }
  }

  /** Forgets used assertions that have expired anyway. */
  async sweep(): Promise<void> {
    await this.#options.database.query('delete from used_assertion where expires_at < $1', [
      this.#options.now() - 60,
    ]);
  }
}
