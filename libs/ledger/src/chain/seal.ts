import { hash as digest } from 'node:crypto';
import type { EventData, EventEnvelope, EventType, Mode, Origin } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { isEventId, isReference, maximumEventBytes } from '../envelope/index.js';

/** What a service wants to say; the producer adds who, when and where in the chain. */
export type EventDraft<T extends EventType = EventType> = T extends EventType
  ? {
      readonly type: T;
      readonly data: EventData[T];
      /** UUIDv7; made by the producer where it is absent. */
      readonly id?: string;
      readonly correlationid?: string;
      readonly causationid?: string;
      readonly traceparent?: string;
      /** `agent` unless said. */
      readonly origin?: Origin;
      /** `enforce` unless said. */
      readonly mode?: Mode;
    }
  : never;

/** Where a producer's chain stands: what the next event follows. */
export interface ChainState {
  /** `/<service>/<instance>`. */
  readonly source: string;
  readonly epoch: string;
  /** Sequence number of the next event. */
  readonly next: number;
  /** Lower-case hexadecimal hash of the event before; 64 zeros at the start. */
  readonly head: string;
}

export interface SealedEvent {
  readonly envelope: EventEnvelope;
  /** The exact bytes that are hashed, stored and verified. */
  readonly value: Uint8Array;
  /** Lower-case hexadecimal SHA-256 of `value`. */
  readonly hash: string;
}

export const zeroHash = '0'.repeat(64);

/** Lower-case hexadecimal SHA-256 (FIPS 180-4) of an event's bytes. */
export function eventHash(value: Uint8Array): string {
  return digest('sha256', value, 'hex');
}

export function beginChain(source: string, epoch: string): ChainState {
  return { source, epoch, next: 0, head: zeroHash };
}

type Written = { -readonly [Name in keyof EventEnvelope]: EventEnvelope[Name] };

/**
 * Gives a draft its place in the chain. Throws request.too_large for an event over 65,535 bytes, recording.invalid for
 * an id or a reference that no reader would accept. On the hot path: serialised once, hashed once.
 * @param at `id`: UUIDv7 for a draft without one; `time`: RFC 3339, UTC, milliseconds
 */
export function sealEvent(
  chain: ChainState,
  draft: EventDraft,
  at: { readonly id: string; readonly time: string },
): { readonly event: SealedEvent; readonly chain: ChainState } {
  checkDraft(draft);
  // The order of members is part of the bytes; only what is there is written.
  const envelope = {
    specversion: '1.0',
    id: draft.id ?? at.id,
    source: chain.source,
    type: draft.type,
    time: at.time,
    datacontenttype: 'application/json',
    epoch: chain.epoch,
    seq: String(chain.next),
    prevhash: chain.head,
  } as Written;
  if (draft.correlationid !== undefined) envelope.correlationid = draft.correlationid;
  if (draft.causationid !== undefined) envelope.causationid = draft.causationid;
  if (draft.traceparent !== undefined) envelope.traceparent = draft.traceparent;
  envelope.mode = draft.mode ?? 'enforce';
  envelope.origin = draft.origin ?? 'agent';
  envelope.data = draft.data;
  const value = Buffer.from(JSON.stringify(envelope), 'utf8');
  if (value.length > maximumEventBytes) {
    throw new CountersignError('request.too_large', {
      detail: `An event of type ${draft.type} is too large.`,
    });
  }
  const hash = eventHash(value);
  return {
    event: { envelope, value, hash },
    chain: { source: chain.source, epoch: chain.epoch, next: chain.next + 1, head: hash },
  };
}

/** A sealed event that readers refuse would break the chain for all that follow it. */
function checkDraft(draft: EventDraft): void {
  const { id, correlationid, causationid, traceparent } = draft;
  if (
    (id !== undefined && !isEventId(id)) ||
    (correlationid !== undefined && !isReference(correlationid)) ||
    (causationid !== undefined && !isReference(causationid)) ||
    (traceparent !== undefined && !isReference(traceparent))
  ) {
    throw new CountersignError('recording.invalid', {
      detail: `An event of type ${draft.type} has an id or a reference of a wrong form.`,
    });
  }
}
