import type { EventRecord } from '@countersign/event-log';
import { type ChainState, type EventDraft, type SealedEvent, sealEvent } from '../chain/index.js';
import type { Waiting } from './queue.js';

/** What goes to the log in one append. */
export interface Batch {
  readonly events: readonly SealedEvent[];
  readonly records: readonly EventRecord[];
  /** The events of each call; calls whose events cannot be sealed are absent. */
  readonly eventsOf: ReadonlyMap<Waiting, readonly SealedEvent[]>;
  /** Calls whose events cannot be sealed, and why. They leave no trace in the chain. */
  readonly refused: ReadonlyMap<Waiting, unknown>;
  /** The chain behind the batch. */
  readonly chain: ChainState;
}

export interface Sealing {
  /** RFC 3339, of all events of the batch. */
  readonly time: string;
  /** A new UUIDv7. */
  newId(): string;
  /** Signs an event's hash with the epoch's key. */
  sign(hash: string): Uint8Array;
}

/** Seals calls in their order, behind `first` if there is one, and signs the last event. */
export function sealBatch(
  begin: ChainState,
  first: EventDraft | null,
  calls: readonly Waiting[],
  sealing: Sealing,
): Batch {
  const events: SealedEvent[] = [];
  const eventsOf = new Map<Waiting, readonly SealedEvent[]>();
  const refused = new Map<Waiting, unknown>();
  let chain = begin;
  const put = (draft: EventDraft): SealedEvent => {
    const sealed = sealEvent(chain, draft, { id: draft.id ?? sealing.newId(), time: sealing.time });
    chain = sealed.chain;
    return sealed.event;
  };
  if (first !== null) events.push(put(first));
  for (const waiting of calls) {
    const before = chain;
    try {
      const own = waiting.drafts.map(put);
      eventsOf.set(waiting, own);
      for (const event of own) events.push(event);
    } catch (error) {
      // One event that is too large must not stop its neighbours.
      chain = before;
      refused.set(waiting, error);
    }
  }
  const last = events.length - 1;
  const records = events.map((event, index) => ({
    key: chain.source,
    value: event.value,
    signature: index === last ? sealing.sign(event.hash) : null,
  }));
  return { events, records, eventsOf, refused, chain };
}
