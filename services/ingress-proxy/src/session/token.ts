import { CountersignError } from '@countersign/errors';
import { z } from 'zod';

/** What a session token says once its signature is verified. */
export interface TokenClaims {
  readonly agent: string;
  readonly onBehalfOf: string;
  readonly delegation: readonly string[];
  readonly grant: string;
  readonly role: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

const id = z.string().min(1).max(200);

interface Actor {
  readonly sub: string;
  readonly act?: Actor | undefined;
}
const actor: z.ZodType<Actor> = z.lazy(() => z.object({ sub: id, act: actor.optional() }));

const payloadShape = z.object({
  iss: z.string(),
  sub: id,
  kind: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
  exp: z.int(),
  nbf: z.int().optional(),
  iat: z.int(),
  jti: id,
  grant: id,
  role: id,
  on_behalf_of: id,
  act: actor.optional(),
});

/** Session tokens live 15 minutes at most; a longer one was not made by the rules. */
const LONGEST_LIFE_SECONDS = 15 * 60;
const CLOCK_SKEW_SECONDS = 5;

/** What a token must have been issued by and for. */
export interface TokenExpectations {
  readonly issuer: string;
  readonly target: string;
  /** The name under which the agent introduced itself; null where the protocol has none but the token's. */
  readonly user: string | null;
}

/**
 * Judges the payload (RFC 7519) of a token whose signature is verified.
 * @param now seconds since 1970
 * @throws CountersignError auth.*
 */
export function judgeToken(payload: unknown, expected: TokenExpectations, now: number): TokenClaims {
  const kind = z.object({ kind: z.string() }).safeParse(payload);
  // A person's token is well-formed, but a person is no agent.
  if (kind.success && kind.data.kind !== 'agent') throw new CountersignError('auth.kind_forbidden');
  const parsed = payloadShape.safeParse(payload);
  if (!parsed.success) throw new CountersignError('auth.token_invalid');
  const claims = parsed.data;
  if (claims.iss !== expected.issuer) throw new CountersignError('auth.token_invalid');
  if (claims.exp <= now) throw new CountersignError('auth.token_expired');
  if ((claims.nbf ?? 0) > now + CLOCK_SKEW_SECONDS) throw new CountersignError('auth.token_invalid');
  if (claims.iat > now + CLOCK_SKEW_SECONDS || claims.exp - claims.iat > LONGEST_LIFE_SECONDS) {
    throw new CountersignError('auth.token_invalid');
  }
  const audiences = typeof claims.aud === 'string' ? [claims.aud] : claims.aud;
  if (audiences.length !== 1 || audiences[0] !== expected.target)
    throw new CountersignError('auth.token_wrong_target');
  if (expected.user !== null && claims.sub !== expected.user)
    throw new CountersignError('auth.subject_mismatch');
  return {
    agent: claims.sub,
    onBehalfOf: claims.on_behalf_of,
    delegation: delegationOf(claims.act),
    grant: claims.grant,
    role: claims.role,
    expiresAt: claims.exp,
  };
}

/** RFC 8693 nests earlier actors in later ones; here the innermost comes first. */
function delegationOf(actor: Actor | undefined): readonly string[] {
  const chain: string[] = [];
  for (let at = actor; at !== undefined && chain.length < 16; at = at.act) chain.unshift(at.sub);
  return chain;
}
