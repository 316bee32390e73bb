import { CountersignError } from '@countersign/errors';
import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { kindOfId, kinds, personRoles } from '../aggregate/index.js';
import type { BearerClaims } from './claims.js';
import type { SigningKey } from './signing-keys.store.js';

/** Media type of the tokens issued here (RFC 9068), so that nothing else that is signed passes for one. */
const type = 'at+jwt';
const algorithm = 'EdDSA';

export interface TokenTimes {
  readonly id: string;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** A signed token (RFC 7519, RFC 8037). */
export async function signToken(
  claims: BearerClaims,
  issuer: string,
  key: SigningKey,
  { id, issuedAt, expiresAt }: TokenTimes,
): Promise<string> {
  return await new SignJWT({ ...claims })
    .setProtectedHeader({ alg: algorithm, typ: type, kid: key.id })
    .setIssuer(issuer)
    .setJti(id)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .sign(key.privateKey);
}

const bearerSchema = z.object({
  sub: z.string(),
  kind: z.enum(kinds),
  roles: z.array(z.enum(personRoles)).default([]),
});

export type Bearer = z.output<typeof bearerSchema>;

/** The bearer of a token for an audience. Throws auth.token_invalid, auth.token_expired or auth.token_wrong_target. */
export async function verifyToken(
  token: string,
  expected: {
    readonly keySet: JSONWebKeySet;
    readonly issuer: string;
    readonly audience: string;
    readonly now: number;
  },
): Promise<Bearer> {
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(expected.keySet), {
      algorithms: [algorithm],
      typ: type,
      issuer: expected.issuer,
      audience: expected.audience,
      requiredClaims: ['exp', 'iat', 'jti', 'sub'],
      currentDate: new Date(expected.now * 1000),
    });
    const bearer = bearerSchema.parse(payload);
    if (kindOfId(bearer.sub) !== bearer.kind) throw new CountersignError('auth.token_invalid');
    return bearer;
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw new CountersignError('auth.token_expired');
    if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud')
      throw new CountersignError('auth.token_wrong_target');
    throw new CountersignError('auth.token_invalid', { cause: error });
  }
}
