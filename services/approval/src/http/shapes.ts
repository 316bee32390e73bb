import { z } from 'zod';
import { kinds, personRoles, principalPattern } from '../aggregate/index.js';
import { publicKeySchema } from '../principals/index.js';
import { reservedAudiences } from '../tokens/index.js';

/** Largest page of a list. */
const largestPage = 200;

const principal = z.string().regex(principalPattern, 'expected agent:… or person:… and a slug');
const slug = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$/, 'expected 1 to 63 of a-z, 0-9, _ and -');
/** A position in a list, as the page before gave it. */
const cursor = z.string().regex(/^\d{1,18}$/, 'expected the `next` of the page before');
const limit = z.coerce.number().int().min(1).max(largestPage).default(50);
const seconds = z.int().positive();

export const identified = z.object({ id: z.uuid() });
export const principalNamed = z.object({ id: principal });

export const enrolment = z.strictObject({
  id: principal.optional().describe('chosen id; a random one where it is left out'),
  kind: z.enum(kinds),
  roles: z.array(z.enum(personRoles)).max(personRoles.length).default([]).describe('of persons only'),
  publicKey: publicKeySchema,
});
export const rotation = z.strictObject({ publicKey: publicKeySchema });
export const principalPage = z.object({ cursor: principal.optional(), limit });

export const grantWish = z.strictObject({
  agent: principal.startsWith('agent:'),
  onBehalfOf: principal.startsWith('person:'),
  target: slug.refine((name) => !reservedAudiences.test(name), 'names with countersign- are reserved'),
  role: slug,
  expiresAt: seconds.describe('seconds since 1970'),
});
export const grantPage = z.object({
  status: z.enum(['requested', 'active', 'revoked', 'expired']).optional(),
  cursor: cursor.optional(),
  limit,
});
export const approvalPage = z.object({
  status: z.enum(['pending', 'approved', 'denied', 'expired', 'consumed']).optional(),
  cursor: cursor.optional(),
  limit,
});

/** RFC 6749 section 4.4, RFC 7521 section 4.2, RFC 8693 section 2.1 (`audience`). Others are ignored, as RFC 6749 says. */
export const tokenForm = z.object({
  grant_type: z.string().max(100),
  client_assertion_type: z.string().max(100).optional(),
  client_assertion: z.string().optional(),
  client_id: z.string().max(100).optional(),
  audience: z.string().min(1).max(256).optional(),
  grant_id: z.uuid().optional(),
});
