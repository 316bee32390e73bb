import { CountersignError } from '@countersign/errors';
import type { Position } from '../../event-log.js';

const DIGITS = 16;
const SHAPE = /^\d{16}$/;

/** A record's offset, with digits padded, so that positions compare as strings. */
export const formatPosition = (offset: number): Position => String(offset).padStart(DIGITS, '0');

/** Throws `config.invalid` on a position of another driver. */
export function parsePosition(position: Position): number {
  const offset = Number(position);
  if (!SHAPE.test(position) || !Number.isSafeInteger(offset)) {
    throw new CountersignError('config.invalid', {
      detail: 'A stored position does not belong to the Kafka event log.',
      next: 'Keep to the event log that was read so far, or begin with an empty database of evidence.',
    });
  }
  return offset;
}
