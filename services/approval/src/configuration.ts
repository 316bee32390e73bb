import { baseConfiguration, type Secret, secret as secretOf } from '@countersign/service-kit';
import { z } from 'zod';
import { kindOfId, personRoles, principalPattern } from './aggregate/index.js';
import { publicKeySchema } from './principals/index.js';

/** Named by what comes out, so that the schema can be declared elsewhere. */
const secret = (description: string): z.ZodType<Secret> => secretOf(description);

const administrator = z.strictObject({
  id: z
    .string()
    .regex(principalPattern)
    .refine((id) => kindOfId(id) === 'person', 'expected person:…')
    .describe('opaque id, person:…'),
  kind: z.literal('person').describe('only persons can be enrolled so'),
  roles: z.array(z.enum(personRoles)).min(1).describe('what they may do'),
  publicKey: publicKeySchema,
});

const period = (fallback: number, longest: number, what: string) =>
  z.int().min(1).max(longest).default(fallback).describe(`${what}, seconds`);

const day = 86_400;

/** Settings of the approval service. */
export const approvalConfiguration = z.strictObject({
  ...baseConfiguration,
  database: secret('URL of the PostgreSQL database of this service, postgres://…'),
  databaseConnections: z.int().min(2).max(100).default(10).describe('most connections to the database'),
  statementMilliseconds: z
    .int()
    .min(100)
    .max(60_000)
    .default(5000)
    .describe('longest time of one database statement, milliseconds'),
  recordingMilliseconds: z
    .int()
    .min(100)
    .max(60_000)
    .default(4000)
    .describe('longest wait for the event log before an approval is refused its use, milliseconds'),
  sweepMilliseconds: z
    .int()
    .min(50)
    .max(60_000)
    .default(1000)
    .describe('how often expired grants and approvals are looked for, milliseconds'),
  tokens: z
    .strictObject({
      issuer: z
        .string()
        .min(1)
        .max(256)
        .default('urn:countersign:approval')
        .describe('issuer of tokens, and audience of client assertions'),
      publicUrl: z
        .url()
        .optional()
        .describe('where clients reach this API; its /oauth/token is then a second audience of assertions'),
      signingKey: secret(
        'Ed25519 private key that signs tokens, PKCS #8 PEM; a changed file rotates the key',
      ),
      lifeSeconds: period(900, 900, 'life of a token'),
      refusalsPerMinute: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(600)
        .describe('refused attempts of one peer in a minute after which it must wait'),
      keyRefreshMilliseconds: z
        .int()
        .min(50)
        .max(3_600_000)
        .default(5000)
        .describe('how often the signing key is read again, milliseconds'),
    })
    .describe('session tokens'),
  approvals: z
    .strictObject({
      pendingSeconds: period(600, day, 'how long an approval waits for its answer'),
      usableSeconds: period(600, day, 'how long an approval may be used once given'),
      denialSeconds: period(3600, day, 'how long a denial that nobody waited for is kept to be told'),
    })
    .prefault({})
    .describe('approvals'),
  grants: z
    .strictObject({ longestSeconds: period(7 * day, 365 * day, 'longest life of a grant') })
    .prefault({})
    .describe('grants'),
  contents: z
    .strictObject({
      key: secret('key that wraps the keys of held statements: 32 bytes, base64'),
      previousKey: secret('the key before, to open what it wrapped').optional(),
      retentionSeconds: period(day, 365 * day, 'how long the statement of an ended approval can be shown'),
    })
    .describe('held statements, encrypted'),
  bootstrap: z
    .array(administrator)
    .default([])
    .describe('persons that are enrolled at the start if they are not yet: the first administrators'),
});

export type ApprovalConfiguration = z.output<typeof approvalConfiguration>;
