import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { topics } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import type { EventRecord } from '@countersign/event-log';
import { v7 as uuidv7 } from 'uuid';
import { epochStatement, signEpoch } from '../authority/index.js';
import {
  beginChain,
  type ChainState,
  type EventDraft,
  eventHash,
  type SealedEvent,
  sealEvent,
  signHash,
} from '../chain/index.js';
import { parseEnvelope } from '../envelope/index.js';
import type { Producer, ProducerOptions } from './producer.js';
import { Queue, type Waiting } from './queue.js';

const defaultDeadlineMilliseconds = 5_000;
const lazyMilliseconds = 5;
const closeMilliseconds = 3_000;
const mostQueuedEvents = 20_000;
const retryMilliseconds = { first: 50, most: 1_000 };

interface Batch {
  readonly calls: readonly Waiting[];
  /** The events of each call; calls whose events could not be sealed are absent. */
  readonly of: ReadonlyMap<Waiting, readonly SealedEvent[]>;
  readonly events: readonly SealedEvent[];
  readonly records: readonly EventRecord[];
}

/** Sends until the log has it: a rejection means unknown, so the same bytes go again. */
async function appendUntilDurable(
  options: ProducerOptions,
  records: readonly EventRecord[],
  failed: () => void,
  given: AbortSignal,
): Promise<boolean> {
  let pause = retryMilliseconds.first;
  for (;;) {
    try {
      await options.log.append(topics[options.service], records);
      return true;
    } catch {
      failed();
      if (given.aborted) return false;
      await delay(pause, undefined, { signal: given }).catch(() => undefined);
      if (given.aborted) return false;
      pause = Math.min(pause * 2, retryMilliseconds.most);
    }
  }
}

class LogProducer implements Producer {
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
    return this.#enqueue(drafts, () => this.#schedule());
  }

  appendLazily(drafts: readonly EventDraft[]): Promise<readonly SealedEvent[]> {
    return this.#enqueue(drafts, () => {
      this.#lazyTimer ??= setTimeout(() => this.#schedule(), lazyMilliseconds);
    });
  }

  #enqueue(drafts: readonly EventDraft[], wake: () => void): Promise<readonly SealedEvent[]> {
    return new Promise((resolve, reject) => {
      const failing = this.#failingSince;
      if (
        this.#closed ||
        this.#queue.length + drafts.length > mostQueuedEvents ||
        (failing !== undefined && performance.now() - failing > this.#deadline)
      ) {
        this.#countRefusal();
        reject(new CountersignError('recording.unavailable'));
        return;
      }
      const timer = setTimeout(() => this.#giveUp(waiting), this.#deadline);
      const waiting: Waiting = {
        drafts,
        sealed: false,
        settled: false,
        resolve: (events) => {
          clearTimeout(timer);
          waiting.settled = true;
          resolve(events);
        },
        reject: (error) => {
          clearTimeout(timer);
          waiting.settled = true;
          reject(error);
        },
      };
      this.#queue.add(waiting);
      wake();
    });
  }

  /** What was not sealed is withdrawn and counted; what was sealed will be recorded, only too late for its caller. */
  #giveUp(waiting: Waiting): void {
    if (waiting.settled) return;
    if (!waiting.sealed) {
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

  #flush(): void {
    if (this.#inFlight !== undefined || this.#queue.length === 0) return;
    if (this.#lazyTimer !== undefined) clearTimeout(this.#lazyTimer);
    this.#lazyTimer = undefined;
    const batch = this.#seal(this.#queue.take());
    if (batch.events.length === 0) return;
    this.#inFlight = this.#send(batch).finally(() => {
      this.#inFlight = undefined;
      this.#flush();
    });
  }

  #seal(taken: readonly Waiting[]): Batch {
    const events: SealedEvent[] = [];
    const of = new Map<Waiting, readonly SealedEvent[]>();
    const time = new Date().toISOString();
    let chain = this.#chain;
    const put = (draft: EventDraft): SealedEvent => {
      const sealed = sealEvent(chain, draft, { id: uuidv7(), time });
      chain = sealed.chain;
      return sealed.event;
    };
    const refused = this.#refused;
    if (refused !== undefined) {
      this.#refused = undefined;
      events.push(
        put({
          type: 'countersign.recording.resumed.v1',
          data: { refusals: refused.count, since: refused.since },
          origin: 'system',
        }),
      );
    }
    for (const waiting of taken) {
      const before = chain;
      try {
        const own = waiting.drafts.map(put);
        waiting.sealed = true;
        of.set(waiting, own);
        events.push(...own);
      } catch (error) {
        // One event that is too large must not stop its neighbours: its call leaves no trace in the chain.
        chain = before;
        waiting.reject(error);
      }
    }
    this.#chain = chain;
    const key = this.#chain.source;
    const last = events.length - 1;
    const records = events.map((event, index) => ({
      key,
      value: event.value,
      signature: index === last ? signHash(event.hash, this.#key) : null,
    }));
    return { calls: taken, events, records, of };
  }

  async #send(batch: Batch): Promise<void> {
    const { journal } = this.#options;
    const failed = (): void => {
      this.#failingSince ??= performance.now();
    };
    let noted = journal === undefined;
    for (let pause = retryMilliseconds.first; !noted; pause = Math.min(pause * 2, retryMilliseconds.most)) {
      try {
        await journal?.sealed(batch.events, batch.records);
        noted = true;
      } catch {
        failed();
        if (this.#given.signal.aborted) return this.#abandon(batch);
        await delay(pause);
      }
    }
    const durable = await appendUntilDurable(this.#options, batch.records, failed, this.#given.signal);
    if (!durable) return this.#abandon(batch);
    this.#failingSince = undefined;
    for (const [waiting, events] of batch.of) if (!waiting.settled) waiting.resolve(events);
    await journal?.acknowledged(batch.events).catch(() => undefined);
  }

  #abandon(batch: Batch): void {
    for (const waiting of batch.calls) {
      if (!waiting.settled) waiting.reject(new CountersignError('recording.unavailable'));
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const end = performance.now() + closeMilliseconds;
    while ((this.#queue.length > 0 || this.#inFlight !== undefined) && performance.now() < end) {
      this.#flush();
      await delay(5);
    }
    this.#given.abort();
    for (const waiting of this.#queue.take()) waiting.reject(new CountersignError('recording.unavailable'));
    clearTimeout(this.#lazyTimer);
    await this.#inFlight;
  }
}

/** Seals event 0: it names the epoch's key and the head of the epoch before. */
function openingOf(
  options: ProducerOptions,
  source: string,
  key: KeyObject,
  previous: { readonly epoch: string; readonly seq: string; readonly hash: string } | null,
): { readonly chain: ChainState; readonly event: SealedEvent } {
  const epoch = uuidv7();
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string;
  const proof = signEpoch(epochStatement(source, epoch, publicKey), options.identity.privateKeyPem);
  return sealEvent(
    beginChain(source, epoch),
    {
      type: 'countersign.epoch.opened.v1',
      data: { publicKey, certificate: options.identity.certificatePem, proof, previous },
      origin: 'system',
    },
    { id: uuidv7(), time: new Date().toISOString() },
  );
}

/**
 * Opens a new epoch of an instance's chain: sends what a former life left in its journal, reads the head of the former
 * epoch, and records event 0. Throws recording.unavailable when the log does not answer within the deadline.
 */
export async function openProducer(options: ProducerOptions): Promise<Producer> {
  const source = `/${options.service}/${options.instance}`;
  const topic = topics[options.service];
  const limit = AbortSignal.timeout(options.deadlineMilliseconds ?? defaultDeadlineMilliseconds);
  try {
    const left = (await options.journal?.unacknowledged()) ?? [];
    if (left.length > 0 && !(await appendUntilDurable(options, left, () => undefined, limit))) {
      throw new CountersignError('recording.unavailable');
    }
    const head = await options.log.head(topic, source);
    const before = head === null ? null : parseEnvelope(head.value);
    const previous =
      head === null || before === null
        ? null
        : { epoch: before.epoch, seq: before.seq, hash: eventHash(head.value) };
    const { privateKey } = generateKeyPairSync('ed25519');
    const { chain, event } = openingOf(options, source, privateKey, previous);
    const record = { key: source, value: event.value, signature: signHash(event.hash, privateKey) };
    await options.journal?.sealed([event], [record]);
    if (!(await appendUntilDurable(options, [record], () => undefined, limit))) {
      throw new CountersignError('recording.unavailable');
    }
    await options.journal?.acknowledged([event]);
    return new LogProducer(options, chain, privateKey);
  } catch (error) {
    if (error instanceof CountersignError) throw error;
    throw new CountersignError('recording.unavailable', { cause: error });
  }
}
