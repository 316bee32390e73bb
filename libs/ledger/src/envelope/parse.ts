import type { EventEnvelope } from '@countersign/contracts';
import { z } from 'zod';
import { isEventId, isReference, isSource, maximumEventBytes, maximumEventDepth } from './limits.js';

const decimal = z.string().regex(/^(0|[1-9]\d{0,14})$/);
const optionalText = z.string().refine(isReference).optional();

const shape = z.strictObject({
  specversion: z.literal('1.0'),
  id: z.string().refine(isEventId),
  source: z.string().refine(isSource),
  type: z.string().regex(/^countersign\.[a-z0-9.-]{1,80}\.v\d{1,3}$/),
  time: z.iso.datetime({ precision: 3 }),
  datacontenttype: z.literal('application/json'),
  epoch: z.string().refine(isEventId),
  seq: decimal,
  prevhash: z.string().regex(/^[0-9a-f]{64}$/),
  correlationid: optionalText,
  causationid: optionalText,
  traceparent: optionalText,
  mode: z.enum(['enforce', 'dryrun']),
  origin: z.enum(['agent', 'person', 'canary', 'system']),
  data: z.record(z.string(), z.unknown()),
});

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Whether arrays and objects nest deeper than is allowed, told from the text, so that nothing has to recurse. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (quoted) {
      if (code === 0x5c) index += 1;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > maximumEventDepth) return true;
    } else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
  return false;
}

/**
 * Reads the bytes of an event: at most 65,535, UTF-8, nested at most 64 deep, the envelope's exact members. The data is
 * an object of any shape: what an event type carries is its reader's affair.
 *
 * Only the bytes that JSON.stringify (ECMA-262, section 25.5.2) gives for the value are accepted. So no member comes
 * twice, there is no space between tokens, and two readers cannot understand the same bytes differently.
 *
 * Throws a TypeError that names members, never values.
 */
export function parseEnvelope(value: Uint8Array): EventEnvelope {
  if (value.length > maximumEventBytes) throw new TypeError('The event is larger than 65,535 bytes.');
  let json: unknown;
  let text: string;
  try {
    text = decoder.decode(value);
    if (isTooDeep(text)) throw new TypeError();
    json = JSON.parse(text);
  } catch {
    throw new TypeError('The event is not JSON in UTF-8 of reasonable depth.');
  }
  if (JSON.stringify(json) !== text) throw new TypeError('The event is not written as it would be sealed.');
  const result = shape.safeParse(json);
  if (!result.success) {
    const members = result.error.issues.map((issue) => issue.path.join('.') || issue.code);
    throw new TypeError(`The event has a wrong shape: ${[...new Set(members)].join(', ')}.`);
  }
  // The union of types is open: a newer producer may send a type that this version does not know.
  return json as EventEnvelope;
}
