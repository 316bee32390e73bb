import { CountersignError } from '@countersign/errors';
import type { Position } from '../../event-log.js';

/** Where a record lies: the transaction that appended it, and its ordinal in there. */
export interface Place {
  /** xid8, decimal. */
  readonly xid: string;
  readonly ordinal: number;
}

/** Before every record. */
export const START: Place = { xid: '0', ordinal: -1 };

const SHAPE = /^(\d{20})-(\d{10})$/;

/** Digits are padded, so that positions compare as strings. */
export function formatPosition(place: Place): Position {
  return `${place.xid.padStart(20, '0')}-${String(place.ordinal).padStart(10, '0')}`;
}

/** Throws `config.invalid` on a position of another driver. */
export function parsePosition(position: Position): Place {
  const match = SHAPE.exec(position);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new CountersignError('config.invalid', {
      detail: 'A stored position does not belong to the PostgreSQL event log.',
    });
  }
  return { xid: BigInt(match[1]).toString(), ordinal: Number(match[2]) };
}
