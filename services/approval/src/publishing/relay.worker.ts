import { setTimeout as sleep } from 'node:timers/promises';
import { CountersignError } from '@countersign/errors';
import { type EventLog, openEventLog } from '@countersign/event-log';
import { type InstanceIdentity, openProducer, type Producer } from '@countersign/ledger';
import type { Change, Changes, Database } from '../storage/index.js';
import { Journal, type WaitingEvent } from './journal.store.js';
import { takeRelayLock } from './lock.store.js';

/** Events that are sealed and appended together. */
const batchSize = 200;
/** Milliseconds: between attempts to begin, and between looks should a notification be missed. */
const pauses = { life: 300, look: 500 } as const;

export interface RelayOptions {
  readonly database: Database;
  readonly changes: Changes;
  /** URL of the event log. */
  readonly eventLog: string;
  readonly instance: string;
  readonly identity: InstanceIdentity;
  /** Hears why a life of the relay ended. */
  readonly onFailure: (error: unknown) => void;
}

export type RelayState = 'starting' | 'publishing' | 'failing' | 'standby';

/**
 * Publishes the outbox, in order, as the one writer of the chain: whichever instance of the service holds the lock. It lives
 * until told to stop; after each failure it takes the lock and opens a new epoch again.
 */
export class Relay {
  readonly #options: RelayOptions;
  #producer: Producer | undefined;
  #state: RelayState = 'starting';

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  get state(): RelayState {
    return this.#producer?.healthy === false ? 'failing' : this.#state;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#live(signal);
      } catch (error) {
        this.#state = 'failing';
        this.#options.onFailure(error);
      }
      await sleep(pauses.life, undefined, { signal }).catch(() => undefined);
    }
  }

  async #live(signal: AbortSignal): Promise<void> {
    const { database, eventLog, instance, identity } = this.#options;
    const lock = await takeRelayLock(database);
    if (lock === null) {
      this.#state = 'standby';
      return;
    }
    const end = AbortSignal.any([signal, lock.lost]);
    const journal = new Journal(database, end);
    let log: EventLog | undefined;
    try {
      log = await openEventLog(eventLog);
      this.#producer = await openProducer({ log, service: 'approval', instance, identity, journal });
      await journal.leftAcknowledged();
      this.#state = 'publishing';
      await this.#publish(this.#producer, journal, end);
    } finally {
      await this.#producer?.close();
      this.#producer = undefined;
      await log?.close().catch(() => undefined);
      await lock.release();
    }
  }

  async #publish(producer: Producer, journal: Journal, end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      const heard = this.#nextChange('outbox', end);
      const events = await journal.waiting(batchSize);
      if (events.length === 0) await heard;
      else await this.#publishBatch(producer, events, end);
    }
  }

  /**
   * Each event is a call of its own, so that one that cannot be sealed takes no other with it; they travel together all the
   * same. A call that gives up is no failure: sealed bytes go on being sent. So the next batch waits for the rows to go.
   */
  async #publishBatch(producer: Producer, events: readonly WaitingEvent[], end: AbortSignal): Promise<void> {
    const calls = await Promise.allSettled(events.map(({ draft }) => producer.append([draft])));
    const refused = calls.find(
      (call) =>
        call.status === 'rejected' &&
        !(call.reason instanceof CountersignError && call.reason.code === 'recording.unavailable'),
    );
    if (refused?.status === 'rejected') throw refused.reason;
    while (!end.aborted && (await this.#anyLeft(events))) await this.#nextChange('published', end);
  }

  async #anyLeft(events: readonly WaitingEvent[]): Promise<boolean> {
    const rows = await this.#options.database.query(
      'select 1 from outbox where sealed and id = any($1::uuid[]) limit 1',
      [events.map(({ id }) => id)],
    );
    return rows.length > 0;
  }

  /** Resolves at the next change of a kind, after a while anyway, and at the end. */
  async #nextChange(kind: Change['kind'], end: AbortSignal): Promise<void> {
    const { changes } = this.#options;
    const change = new AbortController();
    const listener = (heard: Change) => {
      if (heard.kind === kind) change.abort();
    };
    changes.on('change', listener);
    await sleep(pauses.look, undefined, { signal: AbortSignal.any([end, change.signal]) }).catch(
      () => undefined,
    );
    changes.off('change', listener);
  }
}
