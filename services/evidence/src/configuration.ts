import { baseConfiguration, type Secret, secret } from '@countersign/service-kit';
import { z } from 'zod';

const { instance, logLevel, shutdownMilliseconds, http, eventLog, identity } = baseConfiguration;

const database: z.ZodType<Secret> = secret('URL of the own PostgreSQL database, postgres://…');

/** The settings of evidence. */
export const configuration = z.object({
  instance,
  logLevel,
  shutdownMilliseconds,
  http,
  eventLog,
  identity,
  database,
  origin: z
    .string()
    .regex(/^[^\s+]{1,200}$/, 'expected up to 200 characters without spaces and plus')
    .describe('name of the log: first line of its checkpoints; never changes'),
  authorityFile: z.string().describe("certificate of the deployment's authority, PEM"),
  checkpoint: z
    .strictObject({
      privateKeyFile: z.string().describe('Ed25519 key that signs checkpoints, PKCS #8 PEM'),
      certificateFile: z.string().describe('its certificate by the deployment authority, PEM'),
    })
    .describe('what checkpoints are signed with'),
  tokens: z
    .strictObject({
      issuer: z.string().min(1).describe('who issues tokens: their `iss`'),
      jwksUrl: z.url().describe('where the key set that verifies tokens is read (RFC 7517)'),
      cacheSeconds: z
        .int()
        .min(1)
        .max(86_400)
        .default(300)
        .describe('how long a key set that was read is used, seconds; an unknown key is asked for sooner'),
    })
    .describe('whose tokens are accepted'),
  policies: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'files of compiled policy bundles, or folders of *.tar.gz; those that were activated go into dossiers',
    ),
  announceAfterSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(60)
    .describe('how long an outcome or another event must be absent before it is announced, seconds'),
  batchSize: z.int().min(1).max(5000).default(500).describe('events that are taken in at once, at most'),
});

export type Configuration = z.output<typeof configuration>;
