import type { EventDraft, SealedEvent } from '../chain/index.js';

/** One call of `append`, waiting for its events to be sealed and durable. */
export interface Waiting {
  readonly drafts: readonly EventDraft[];
  readonly resolve: (events: readonly SealedEvent[]) => void;
  readonly reject: (error: unknown) => void;
  /** Set once its events are part of a batch; they can no longer be withdrawn. */
  sealed: boolean;
  settled: boolean;
}

/** Even the largest events then fit into one append of the event log (8 MiB). */
const mostEventsInBatch = 120;

/** Calls in order of arrival. */
export class Queue {
  #waiting: Waiting[] = [];
  #events = 0;

  /** Events that wait. */
  get length(): number {
    return this.#events;
  }

  add(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#events += waiting.drafts.length;
  }

  withdraw(waiting: Waiting): void {
    const index = this.#waiting.indexOf(waiting);
    if (index < 0) return;
    this.#waiting.splice(index, 1);
    this.#events -= waiting.drafts.length;
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
    const taken = calls === this.#waiting.length ? this.#waiting : this.#waiting.slice(0, calls);
    this.#waiting = calls === this.#waiting.length ? [] : this.#waiting.slice(calls);
    this.#events -= events;
    return taken;
  }
}
