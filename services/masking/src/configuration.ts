import { baseConfiguration, type Secret, secret } from '@countersign/service-kit';
import { z } from 'zod';
import { poolDefaults } from './engine/index.js';

const keyEncryptionKey: z.ZodType<Secret> = secret('key-encryption key, 32 bytes in base64 or hexadecimal');

const target = z.strictObject({
  protocol: z
    .enum(['postgresql', 'http'])
    .default('postgresql')
    .describe('what the target speaks: whether statements or requests are analysed'),
  labels: z
    .string()
    .min(1)
    .describe(
      'labels file of the target, JSON: vocabulary, labels of columns (of an HTTP target, its operations have them), profiles',
    ),
});

/** Configuration of the masking service: the keys every service has, and those below. */
export const configuration = z.object({
  ...baseConfiguration,
  targets: z.record(z.string().min(1), target).describe('the targets that are masked, by name'),
  valueKeyFile: z.string().min(1).describe('value key of surrogates, wrapped by the key-encryption key'),
  createValueKey: z
    .boolean()
    .default(false)
    .describe(
      'makes the value key file where there is none; for first starts, since a new key changes every surrogate',
    ),
  keyEncryptionKey,
  parser: z
    .strictObject({
      threads: z
        .int()
        .min(1)
        .max(64)
        .default(poolDefaults.threads)
        .describe('threads that parse and analyse'),
      watchdogMilliseconds: z
        .int()
        .min(50)
        .max(60_000)
        .default(poolDefaults.watchdogMilliseconds)
        .describe('longest work on one statement, milliseconds'),
      heapMegabytes: z
        .int()
        .min(256)
        .max(8192)
        .default(poolDefaults.heapMegabytes)
        .describe('heap of each thread, MiB'),
    })
    .prefault({})
    .describe('parsing and analysis of statements'),
});

export type Configuration = z.output<typeof configuration>;
