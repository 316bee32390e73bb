import { risks, verbs } from '@countersign/contracts';
import { type Secret, secret } from '@countersign/service-kit';
import { z } from 'zod';
import { NEVER, readTemplate } from './protocols/http/index.js';

export const targetName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$/,
    'expected 1 to 63 of a-z, 0-9, inner hyphens and underscores',
  );

export const targetTls = z.strictObject({
  authorityFile: z
    .string()
    .optional()
    .describe('certificate authority of the target, PEM; absent, those that the system trusts'),
  serverName: z.string().optional().describe('name in the certificate of the target; absent, its host'),
});

const label = z.string().min(1).max(200);
const pointer = z
  .string()
  .max(1000)
  .regex(/^(\/([^~/]|~[01])*)*$/, 'expected a JSON pointer (RFC 6901), such as /items/*/email');

const headerName = z
  .string()
  .regex(/^[a-z0-9-]+$/, 'expected the name of a header in lower case')
  .refine((name) => !NEVER.has(name), 'is a header that never passes');

const operation = z
  .strictObject({
    operation: z
      .string()
      .max(1000)
      .describe('method and path template, which are its name: `GET /v1/patients/{patient}`'),
    object: z.string().min(1).max(200).describe('what it works on, as policy and evidence name it'),
    verbs: z.array(z.enum(verbs)).min(1).describe('what it does to the object'),
    risks: z.array(z.enum(risks)).default([]).describe('risks that it carries'),
    query: z
      .record(z.string().regex(/^[A-Za-z0-9._~-]+$/, 'expected a plain name'), label.nullable())
      .default({})
      .describe('names that its query may hold, each with the label of what it is compared with, or null'),
    path: z
      .record(z.string(), label)
      .default({})
      .describe('labels of what variables of the path are compared with'),
    body: z
      .array(z.string().regex(/^[a-z0-9.+-]+\/[a-z0-9.+-]+$/, 'expected a media type in lower case'))
      .default([])
      .describe('media types that its body may have; none where it takes no body'),
    labels: z
      .record(pointer, label)
      .default({})
      .describe('labels of fields of its JSON answer by pointer; `*` is every item or member'),
    rows: pointer
      .nullable()
      .default(null)
      .describe('pointer to the array whose items count as rows; without it an answer counts as one'),
  })
  .superRefine((declared, context) => {
    const template = readTemplate(declared.operation);
    if (typeof template === 'string') {
      context.addIssue({ code: 'custom', path: ['operation'], message: `expected that ${template}` });
      return;
    }
    for (const name of Object.keys(declared.path)) {
      if (template.variables.includes(name)) continue;
      context.addIssue({ code: 'custom', path: ['path', name], message: 'is no variable of the template' });
    }
  });

const credentialSecret: z.ZodType<Secret> = secret('credential of the gateway at the target');

const credential = z.strictObject({
  header: z
    .string()
    .regex(/^[a-z0-9-]+$/, 'expected the name of a header in lower case')
    .default('authorization')
    .describe('header that carries it'),
  scheme: z.string().max(50).default('Bearer').describe('goes before it, with a space; empty for nothing'),
  secret: credentialSecret,
});

/** An HTTP service behind the gateway. */
export const httpTarget = z.strictObject({
  name: targetName.describe(
    'name of the target: the first segment of the path that agents ask for, and the audience of their tokens',
  ),
  protocol: z.literal('http').describe('what the target speaks'),
  url: z
    .url({ protocol: /^https?$/, error: 'expected an http or https address' })
    .refine((url) => {
      const { username, password, search, hash } = new URL(url);
      return [username, password, search, hash].every((part) => part === '');
    }, 'expected an address without user, query and fragment')
    .describe('where it answers; its path goes before each path that agents ask for'),
  credential: credential
    .optional()
    .describe('what the gateway shows it; that of an agent is never passed on'),
  tls: targetTls
    .optional()
    .describe('TLS to the target, verified; an https address is required outside loopback'),
  requestHeaders: z
    .array(headerName)
    .default([])
    .describe(
      'headers of agents that it gets to see, beside accept, accept-language, content-type, idempotency-key',
    ),
  responseHeaders: z
    .array(headerName)
    .default([])
    .describe('headers of answers in which nothing is masked that agents get to see, beside the usual ones'),
  operations: z.array(operation).min(1).max(2000).describe('what agents may ask of it; all else is refused'),
});
