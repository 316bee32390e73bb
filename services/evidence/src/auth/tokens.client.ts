import { CountersignError } from '@countersign/errors';
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import { type Auditor, audience, auditorOf } from './auditor.js';

export interface TokenOptions {
  readonly issuer: string;
  readonly jwksUrl: string;
  readonly cacheSeconds: number;
}

export interface Tokens {
  /** Throws what auditorOf throws, auth.token_expired, auth.token_wrong_target, and rpc.unavailable without keys. */
  verify(token: string): Promise<Auditor>;
}

/** How far clocks may differ, seconds. */
const tolerance = 5;
/** An unknown key makes the key set be read again, but no more often than this, milliseconds. */
const cooldown = 5000;

/** Verifies tokens by the key set of their issuer. Only EdDSA: the algorithm is never the token's choice. */
export function openTokens({ issuer, jwksUrl, cacheSeconds }: TokenOptions): Tokens {
  const keys = createRemoteJWKSet(new URL(jwksUrl), {
    cacheMaxAge: cacheSeconds * 1000,
    cooldownDuration: cooldown,
    timeoutDuration: 3000,
  });
  return {
    async verify(token) {
      let payload: JWTPayload;
      try {
        ({ payload } = await jwtVerify(token, keys, {
          algorithms: ['EdDSA', 'Ed25519'],
          issuer,
          audience,
          clockTolerance: tolerance,
          requiredClaims: ['sub', 'exp', 'jti'],
        }));
      } catch (error) {
        throw catalogued(error);
      }
      return auditorOf(payload);
    },
  };
}

function catalogued(error: unknown): CountersignError {
  if (error instanceof errors.JWTExpired) return new CountersignError('auth.token_expired');
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud') {
    return new CountersignError('auth.token_wrong_target');
  }
  // What the token itself got wrong; everything else is the key set's.
  const byToken =
    error instanceof errors.JWTClaimValidationFailed ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JOSENotSupported ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys;
  if (byToken) return new CountersignError('auth.token_invalid');
  return new CountersignError('rpc.unavailable', {
    detail: 'The key set of tokens cannot be read.',
    cause: error,
  });
}
