import type { EventDraft, SealedEvent } from '../chain/index.js';

/** One call of `append`, waiting for its events to be sealed and durable. */
export interface Waiting {
  readonly drafts: readonly EventDraft[];
  /** Whether its events speak of what already happened: then they are kept until the log has them. */
  readonly lazy: boolean;
  readonly resolve: (events: readonly SealedEvent[]) => void;
  readonly reject: (error: unknown) => void;
  /** Set once its events are part of a batch; they can no longer be withdrawn. */
  sealed: boolean;
  settled: boolean;
}

/** Most events of one call and of one batch: even the largest then fit into one append of the event log (8 MiB). */
export const mostEventsInBatch = 120;

/** Calls in order of arrival. */
export class Queue {
  #waiting: Waiting[] = [];
  #events = 0;
  #urgent = 0;

  /** Events that wait. */
  get length(): number {
    return this.#events;
  }

  /** Whether somebody waits for one of them. */
  get isUrgent(): boolean {
    return this.#urgent > 0;
  }

  add(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#count(waiting, 1);
  }

  withdraw(waiting: Waiting): void {
    const index = this.#waiting.indexOf(waiting);
    if (index < 0) return;
    this.#waiting.splice(index, 1);
    this.#count(waiting, -1);
  }

  /** Takes whole calls from the front, up to one batch. */
  take(): readonly Waiting[] {
    let events = 0;
    let calls = 0;
    for (const waiting of this.#waiting) {
      if (calls > 0 && events + waiting.drafts.length > mostEventsInBatch) break;
      events += waiting.drafts.length;
      calls += 1;
    }
    const taken = this.#waiting.splice(0, calls);
    for (const waiting of taken) this.#count(waiting, -1);
    return taken;
  }

  #count(waiting: Waiting, sign: 1 | -1): void {
    this.#events += sign * waiting.drafts.length;
    if (!waiting.lazy) this.#urgent += sign;
  }
}
