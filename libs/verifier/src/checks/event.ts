import type { EventEnvelope } from '@countersign/contracts';
import type { Where } from '../report/index.js';

/** An event of the dossier, taken apart once for all checks. */
export interface SeenEvent {
  readonly line: number;
  /** As the dossier has it, so that whoever reads a report finds it there. */
  readonly index: number;
  readonly topic: string;
  readonly key: string;
  readonly value: Uint8Array;
  /** Lower-case hexadecimal SHA-256 of the value. */
  readonly hash: string;
  readonly signature: Uint8Array | null;
  /** Null where the value is no event. */
  readonly envelope: EventEnvelope | null;
}

/** An event's place, small enough to be remembered. */
export interface Place {
  readonly index: number;
  readonly id: string;
  readonly type: string;
  readonly seq: number;
}

/** Where an event is, in a report. */
export function whereOf({ line, index, key, envelope }: SeenEvent): Where {
  if (envelope === null) return { line, index, producer: key };
  const { id, type, source, epoch, seq } = envelope;
  return { line, index, id, type, producer: source, epoch, seq: Number(seq) };
}
