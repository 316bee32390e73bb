import type { KeyObject } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { topics } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { v7 as uuidv7 } from 'uuid';
import { type ChainState, type EventDraft, type SealedEvent, signHash } from '../chain/index.js';
import { type Batch, sealBatch } from './batch.js';
import { defaultDeadlineMilliseconds, type Producer, type ProducerOptions } from './producer.js';
import { mostEventsInBatch, Queue, type Waiting } from './queue.js';
import { appendUntilDurable, untilDone } from './sending.driver.js';

const lazyMilliseconds = 5;
const closeMilliseconds = 3_000;
const mostQueuedEvents = 20_000;

/** One append in flight; what arrives meanwhile travels together in the next. */
export class LogProducer implements Producer {
  readonly epoch: string;
  readonly #options: ProducerOptions;
  readonly #key: KeyObject;
  readonly #deadline: number;
  readonly #queue = new Queue();
  readonly #given = new AbortController();
  #chain: ChainState;
  #inFlight: Promise<void> | undefined;
  #scheduled = false;
  #lazyTimer: NodeJS.Timeout | undefined;
  #lazyDue = false;
  #failingSince: number | undefined;
  #refused: { count: number; since: string } | undefined;
  #closed = false;

  constructor(options: ProducerOptions, chain: ChainState, key: KeyObject) {
    this.#options = options;
    this.#chain = chain;
    this.#key = key;
    this.epoch = chain.epoch;
    this.#deadline = options.deadlineMilliseconds ?? defaultDeadlineMilliseconds;
  }

  get healthy(): boolean {
    return this.#failingSince === undefined && !this.#closed;
  }

  append(drafts: readonly EventDraft[]): Promise<readonly SealedEvent[]> {
    return this.#enqueue(drafts, false, () => this.#schedule());
  }

  appendLazily(drafts: readonly EventDraft[]): Promise<readonly SealedEvent[]> {
    const appended = this.#enqueue(drafts, true, () => {
      this.#lazyTimer ??= setTimeout(() => {
        this.#lazyTimer = undefined;
        this.#lazyDue = true;
        this.#schedule();
      }, lazyMilliseconds);
    });
    // Nobody need wait for it.
    appended.catch(() => undefined);
    return appended;
  }

  async #enqueue(
    drafts: readonly EventDraft[],
    lazy: boolean,
    wake: () => void,
  ): Promise<readonly SealedEvent[]> {
    if (drafts.length === 0) return [];
    if (drafts.length > mostEventsInBatch) {
      // Parts in order; each is durable as a whole, and the call when all are.
      const first = this.#enqueue(drafts.slice(0, mostEventsInBatch), lazy, wake);
      const rest = this.#enqueue(drafts.slice(mostEventsInBatch), lazy, wake);
      return (await Promise.all([first, rest])).flat();
    }
    if (this.#closed || this.#queue.length + drafts.length > mostQueuedEvents || this.#isHopeless(lazy)) {
      this.#countRefusal();
      throw new CountersignError('recording.unavailable');
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#giveUp(waiting), this.#deadline);
      const settle = (): void => {
        clearTimeout(timer);
        waiting.settled = true;
      };
      const waiting: Waiting = {
        drafts,
        lazy,
        sealed: false,
        settled: false,
        resolve: (events) => {
          settle();
          resolve(events);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      this.#queue.add(waiting);
      wake();
    });
  }

  /** Where the log has been away for so long already, waiting once more would only keep agents from their answer. */
  #isHopeless(lazy: boolean): boolean {
    const since = this.#failingSince;
    return !lazy && since !== undefined && performance.now() - since > this.#deadline;
  }

  /**
   * What was sealed will be recorded, only too late for its caller; so will what is lazy, which tells of something that
   * did happen. The rest is withdrawn and counted.
   */
  #giveUp(waiting: Waiting): void {
    if (waiting.settled) return;
    if (!waiting.sealed && !waiting.lazy) {
      this.#queue.withdraw(waiting);
      this.#countRefusal();
    }
    waiting.reject(new CountersignError('recording.unavailable'));
  }

  #countRefusal(): void {
    if (this.#closed) return;
    this.#refused ??= { count: 0, since: new Date().toISOString() };
    this.#refused.count += 1;
  }

  /** setImmediate gathers what one turn of the event loop asks for; a microtask would leave too early. */
  #schedule(): void {
    if (this.#scheduled || this.#inFlight !== undefined) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #scheduleNext(): void {
    if (this.#queue.isUrgent || this.#lazyDue || this.#refused !== undefined) this.#schedule();
  }

  #flush(): void {
    if (this.#inFlight !== undefined) return;
    const calls = this.#queue.take();
    const resumed = this.#takeRefusals();
    if (this.#queue.length === 0) {
      clearTimeout(this.#lazyTimer);
      this.#lazyTimer = undefined;
      this.#lazyDue = false;
    }
    const batch = sealBatch(this.#chain, resumed, calls, {
      time: new Date().toISOString(),
      newId: uuidv7,
      sign: (hash) => signHash(hash, this.#key),
    });
    this.#chain = batch.chain;
    for (const [waiting, error] of batch.refused) if (!waiting.settled) waiting.reject(error);
    if (batch.events.length === 0) {
      this.#scheduleNext();
      return;
    }
    for (const waiting of batch.eventsOf.keys()) waiting.sealed = true;
    this.#inFlight = this.#send(batch).finally(() => {
      this.#inFlight = undefined;
      this.#scheduleNext();
    });
  }

  /** Calls refused since the last batch: said before anything else. */
  #takeRefusals(): EventDraft | null {
    const refused = this.#refused;
    if (refused === undefined) return null;
    this.#refused = undefined;
    return {
      type: 'countersign.recording.resumed.v1',
      data: { refusals: refused.count, since: refused.since },
      origin: 'system',
    };
  }

  async #send(batch: Batch): Promise<void> {
    const { journal, log, service } = this.#options;
    const given = this.#given.signal;
    const failed = (): void => {
      this.#failingSince ??= performance.now();
    };
    const durable =
      (journal === undefined ||
        (await untilDone(() => journal.sealed(batch.events, batch.records), failed, given))) &&
      (await appendUntilDurable(log, topics[service], batch.records, failed, given));
    if (!durable) {
      this.#refuse(batch.eventsOf.keys());
      return;
    }
    this.#failingSince = undefined;
    for (const [waiting, events] of batch.eventsOf) if (!waiting.settled) waiting.resolve(events);
    await journal?.acknowledged(batch.events).catch(() => undefined);
  }

  #refuse(calls: Iterable<Waiting>): void {
    for (const waiting of calls) {
      if (!waiting.settled) waiting.reject(new CountersignError('recording.unavailable'));
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const end = performance.now() + closeMilliseconds;
    const isBusy = () =>
      this.#queue.length > 0 || this.#inFlight !== undefined || this.#refused !== undefined;
    while (isBusy() && performance.now() < end) {
      this.#lazyDue = true;
      this.#schedule();
      await delay(2);
    }
    this.#given.abort();
    while (this.#queue.length > 0) this.#refuse(this.#queue.take());
    clearTimeout(this.#lazyTimer);
    // An attempt that hangs ends by itself; nobody waits for it longer than this.
    await Promise.race([this.#inFlight, delay(1_000, undefined, { ref: false })]);
  }
}
