import type { ServiceName } from '@countersign/contracts';
import type { EventLog, EventRecord } from '@countersign/event-log';
import type { InstanceIdentity } from '../authority/index.js';
import type { EventDraft, SealedEvent } from '../chain/index.js';

/**
 * Keeps sealed events until the log has them, for a producer whose events must survive its own death: they are noted
 * before they are appended, so that a restart appends the identical bytes before it opens a new epoch.
 */
export interface ProducerJournal {
  /** Records that were sealed and perhaps never appended, in order. */
  unacknowledged(): Promise<readonly EventRecord[]>;
  /** Durably notes what is about to be appended, in order; `records[i]` carries `events[i]`. */
  sealed(events: readonly SealedEvent[], records: readonly EventRecord[]): Promise<void>;
  /** What was noted is in the log. */
  acknowledged(events: readonly SealedEvent[]): Promise<void>;
}

/** Milliseconds for which `append` waits unless told. */
export const defaultDeadlineMilliseconds = 5_000;

export interface ProducerOptions {
  readonly log: EventLog;
  readonly service: ServiceName;
  /** Name among the instances of the service: no two may run at once under one name. */
  readonly instance: string;
  readonly identity: InstanceIdentity;
  readonly journal?: ProducerJournal;
  /** How long `append` waits for the log before it gives up with recording.unavailable, milliseconds. Default 5000. */
  readonly deadlineMilliseconds?: number;
}

/** The one writer of an instance's chain. */
export interface Producer {
  readonly epoch: string;
  /** Whether the last append succeeded. */
  readonly healthy: boolean;
  /**
   * Records events; resolves once they are durable. Throws recording.unavailable within the deadline: the outcome is
   * then unknown, and what was sealed is sent again, byte for byte, until the log has it.
   */
  append(drafts: readonly EventDraft[]): Promise<readonly SealedEvent[]>;
  /**
   * As `append`, for events that tell of what has happened already and that nobody waits for: they ride in the next
   * batch, or leave within 5 ms. They are kept, within limits, until the log has them, even when the promise has been
   * rejected; the promise need not be handled.
   */
  appendLazily(drafts: readonly EventDraft[]): Promise<readonly SealedEvent[]>;
  /** Sends what is queued, in bounded time, and takes no more. */
  close(): Promise<void>;
}
