import { createHash } from 'node:crypto';
import { canonicalJson } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { z } from 'zod';
import type { RecordFilter } from './query.js';

export type Order = 'oldest' | 'newest';

const shape = z.tuple([z.literal(1), z.string().length(16), z.int().min(0)]);

/** A cursor: the place after which the next page begins, bound to the question it was given for. */
export function formatCursor(filter: RecordFilter, order: Order, after: number): string {
  return Buffer.from(JSON.stringify([1, questionOf(filter, order), after])).toString('base64url');
}

/** The place of a cursor. Throws evidence.cursor_invalid for what no page gave, or gave for another question. */
export function parseCursor(text: string, filter: RecordFilter, order: Order): number {
  const read = shape.safeParse(parse(text));
  if (!read.success) throw new CountersignError('evidence.cursor_invalid');
  const [, question, after] = read.data;
  if (question !== questionOf(filter, order)) {
    throw new CountersignError('evidence.cursor_invalid', { detail: 'It belongs to another question.' });
  }
  return after;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}

function questionOf(filter: RecordFilter, order: Order): string {
  const question = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
  return createHash('sha256')
    .update(canonicalJson([order, question]))
    .digest('hex')
    .slice(0, 16);
}
