import { type ApprovalBinding, canonicalJson, type Digest, digestOf } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { z } from 'zod';
import { principalPattern } from '../aggregate/index.js';

/** A binding is a dozen short strings. Bytes. */
const maximumBytes = 8 * 1024;

/** Any text that shows: no control characters, no halves of surrogate pairs. */
const word = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^\p{Cc}\p{Cs}]+$/u);
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

const bindingSchema = z.strictObject({
  version: z.literal(1),
  agent: z.string().regex(principalPattern).startsWith('agent:'),
  onBehalfOf: z.string().regex(principalPattern).startsWith('person:'),
  grant: word,
  role: word,
  target: word,
  action: digest,
  policyDigest: digest,
  profile: word,
});

export interface ReadBinding {
  readonly binding: ApprovalBinding;
  /** Canonical JSON of the binding. */
  readonly text: string;
  /** Identifies the action among all others. Unsalted, so it stays within this service. */
  readonly digest: Digest;
}

/**
 * Reads the canonical JSON (RFC 8785) of a binding. Anything but its one canonical form is refused, so that equal bindings
 * are equal bytes. Throws request.invalid without repeating what was sent.
 */
export function readBinding(bytes: Uint8Array): ReadBinding {
  const invalid = (detail: string) =>
    new CountersignError('request.invalid', { detail: `binding: ${detail}` });
  if (bytes.length > maximumBytes) throw invalid('larger than 8 KiB.');
  let value: unknown;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch {
    throw invalid('not JSON.');
  }
  const result = bindingSchema.safeParse(value);
  if (!result.success) throw invalid('not the binding of an approval.');
  if (canonicalJson(result.data) !== text) throw invalid('not canonical JSON.');
  return { binding: result.data, text, digest: digestOf(text) };
}
