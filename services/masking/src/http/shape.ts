import { canonicalJson, type RequestShape } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { z } from 'zod';

const shape = z.strictObject({
  version: z.literal(1),
  method: z.string().min(1).max(32),
  operation: z.string().nullable(),
  query: z.array(z.string()),
  body: z.string().nullable(),
});

/** @throws statement.unparsable for a text that is no canonical request shape */
export function readShape(text: string): RequestShape {
  try {
    const read = shape.parse(JSON.parse(text));
    if (canonicalJson(read) === text) return read;
  } catch {
    // told below
  }
  throw new CountersignError('statement.unparsable');
}
