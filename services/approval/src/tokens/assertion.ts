import { z } from 'zod';
import { type Kind, kindOfId } from '../aggregate/index.js';

/** Longest client assertion that is looked at, characters. */
export const longestAssertion = 4096;
/** How far ahead an assertion may expire, and how far clocks may differ, seconds. */
export const assertionLimits = { life: 300, skew: 30 } as const;

const claimsSchema = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.union([z.string(), z.array(z.string()).length(1)]),
  exp: z.int(),
  iat: z.int().optional(),
  nbf: z.int().optional(),
  jti: z.string().min(8).max(128),
});

export type AssertionCheck =
  | { readonly valid: true; readonly jti: string; readonly expiresAt: number }
  | { readonly valid: false; readonly detail: string };

const invalid = (detail: string): AssertionCheck => ({ valid: false, detail });

/**
 * Whose assertion it claims to be, before any proof: only to find the key that must have signed it. Null where `iss` and
 * `sub` (RFC 7523, section 3, rules 1 and 2) are not one enrolled-looking id.
 */
export function claimedPrincipal(claims: unknown): { id: string; kind: Kind } | null {
  const result = z.object({ iss: z.string(), sub: z.string() }).safeParse(claims);
  if (!result.success || result.data.iss !== result.data.sub) return null;
  const kind = kindOfId(result.data.sub);
  return kind === null ? null : { id: result.data.sub, kind };
}

/**
 * The claims of a client assertion whose signature was verified (RFC 7523, section 3). Time is in seconds since 1970.
 * Claims that are not named there, a `kind` above all, mean nothing.
 */
export function checkAssertion(
  claims: unknown,
  expected: { readonly principal: string; readonly audiences: readonly string[]; readonly now: number },
): AssertionCheck {
  const result = claimsSchema.safeParse(claims);
  if (!result.success) return invalid('It needs iss, sub, aud, exp and jti.');
  const { iss, sub, aud, exp, iat, nbf, jti } = result.data;
  if (iss !== expected.principal || sub !== expected.principal)
    return invalid('iss and sub must be its signer.');
  const [audience] = [aud].flat();
  if (audience === undefined || !expected.audiences.includes(audience))
    return invalid('aud must be this issuer.');
  const { now } = expected;
  if (exp <= now) return invalid('It has expired.');
  if (exp > now + assertionLimits.life + assertionLimits.skew)
    return invalid('It may live at most 5 minutes.');
  if (iat !== undefined && iat > now + assertionLimits.skew) return invalid('iat lies in the future.');
  if (nbf !== undefined && nbf > now + assertionLimits.skew) return invalid('nbf lies in the future.');
  return { valid: true, jti, expiresAt: exp };
}
