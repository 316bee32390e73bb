import type { EventEnvelope } from '@countersign/contracts';
import { z } from 'zod';
import { maximumEventBytes } from './limits.js';

const decimal = z.string().regex(/^(0|[1-9]\d{0,15})$/);
const optionalText = z.string().min(1).max(200).optional();

const shape = z.strictObject({
  specversion: z.literal('1.0'),
  id: z.uuid(),
  source: z.string().regex(/^\/[a-z-]{1,40}\/[a-z0-9][a-z0-9-]{0,62}$/),
  type: z.string().regex(/^countersign\.[a-z0-9.-]{1,80}\.v\d{1,3}$/),
  time: z.iso.datetime({ precision: 3 }),
  datacontenttype: z.literal('application/json'),
  epoch: z.uuid(),
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

/**
 * Reads the bytes of an event: at most 65,535, UTF-8, the envelope's exact members. The data is an object of any shape:
 * what an event type carries is its reader's affair. Throws a TypeError that names members, never values.
 */
export function parseEnvelope(value: Uint8Array): EventEnvelope {
  if (value.length > maximumEventBytes) throw new TypeError('The event is larger than 65,535 bytes.');
  let json: unknown;
  try {
    json = JSON.parse(decoder.decode(value));
  } catch {
    throw new TypeError('The event is not JSON in UTF-8.');
  }
  const result = shape.safeParse(json);
  if (!result.success) {
    const members = result.error.issues.map((issue) => issue.path.join('.') || issue.code);
    throw new TypeError(`The event has a wrong shape: ${[...new Set(members)].join(', ')}.`);
  }
  // The union of types is open: a newer producer may send a type that this version does not know.
  return result.data as unknown as EventEnvelope;
}
