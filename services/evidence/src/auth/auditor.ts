import { CountersignError } from '@countersign/errors';
import { z } from 'zod';

/** Whom evidence answers: a person with the role of auditor. */
export interface Auditor {
  /** Opaque id of the person. */
  readonly principal: string;
}

/** Audience of tokens for evidence. */
export const audience = 'countersign-evidence';
export const role = 'auditor';

const principal = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text));
const claims = z.object({ sub: principal, kind: z.string(), roles: z.array(z.string()).max(64).optional() });

/**
 * The auditor that verified claims speak of. Signature, issuer, audience and times are verified before.
 * Throws auth.token_invalid, auth.kind_forbidden or auth.role_required.
 */
export function auditorOf(verified: unknown): Auditor {
  const read = claims.safeParse(verified);
  if (!read.success) throw new CountersignError('auth.token_invalid');
  if (read.data.kind !== 'person') throw new CountersignError('auth.kind_forbidden');
  if (read.data.roles?.includes(role) !== true) {
    throw new CountersignError('auth.role_required', { detail: `The role is ${role}.` });
  }
  return { principal: read.data.sub };
}

/** The bearer token of an Authorization header (RFC 6750 section 2.1). Throws auth.token_missing or auth.token_invalid. */
export function bearerOf(header: string | undefined): string {
  if (header === undefined || header === '')
    throw new CountersignError('auth.token_missing', {
      next: 'Send it as `Authorization: Bearer …`; see `countersign token --help`.',
    });
  const token = /^Bearer ([A-Za-z0-9._~+/-]{1,8192}=*)$/i.exec(header)?.[1];
  if (token === undefined) throw new CountersignError('auth.token_invalid');
  return token;
}
