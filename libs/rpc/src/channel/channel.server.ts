import type { channelRpc } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { ServiceRegistration } from '../definition.js';
import { failureOf, grpcStatus } from '../failure.js';
import { limits } from '../limits.js';
import { Outbox } from './outbox.js';
import { Slots } from './slots.js';
import { type FailedCall, type Outcome, Work } from './work.js';

export interface ChannelServerOptions {
  readonly services: ReadonlyMap<string, ServiceRegistration>;
  /** Shared by all channels of the server. */
  readonly serverSlots: Slots;
  readonly maxInFlight: number;
  readonly maxPayloadBytes: number;
  readonly peer: string | undefined;
  readonly onFailure: (failed: FailedCall) => void;
}

type Stream = ServerDuplexStream<channelRpc.ChannelRequest, channelRpc.ChannelResponse>;

const sizeOf = (answer: channelRpc.Answer) =>
  (answer.outcome?.$case === 'payload' ? answer.outcome.value.length : 64) + 16;

/**
 * The server's end of one channel. Invariants: an id is in `#works` from its arrival until its answer was queued; a frame
 * that breaks the protocol ends the stream; while the caller does not read, no further frame is read from it.
 */
export class ChannelServer {
  readonly #stream: Stream;
  readonly #options: ChannelServerOptions;
  readonly #slots: readonly Slots[];
  readonly #works = new Map<number, Work>();
  readonly #outbox: Outbox<channelRpc.Answer>;
  #service: ServiceRegistration | undefined;
  #stopping = false;
  #ended = false;
  #onIdle: (() => void) | undefined;
  #stopped: Promise<void> | undefined;
  readonly ended: Promise<void>;

  constructor(stream: Stream, options: ChannelServerOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#slots = [new Slots(options.maxInFlight), options.serverSlots];
    this.#outbox = new Outbox(this.#write, sizeOf, limits.batchBytes);
    this.ended = new Promise((resolve) => {
      const gone = () => {
        this.#end();
        resolve();
      };
      stream.on('cancelled', gone);
      stream.on('error', gone);
      stream.on('close', gone);
    });
    stream.on('data', this.#receive);
    stream.on('end', () => {
      // The caller sends no more; what it asked for is still answered.
      void this.stop();
    });
    stream.on('drain', () => {
      this.#outbox.resume();
      stream.resume();
    });
  }

  /** Takes no more calls, and ends the stream when those in flight are answered. */
  stop(): Promise<void> {
    this.#stopping = true;
    this.#stopped ??= new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      this.#checkIdle();
    }).then(() => {
      if (!this.#ended) this.#stream.end();
      this.#end();
    });
    return this.#stopped;
  }

  /** Ends the stream now; the caller learns that the outcome of what was in flight is unknown. */
  cut(): void {
    if (!this.#ended) this.#refuse(grpcStatus.UNAVAILABLE, 'the service has stopped');
  }

  #checkIdle(): void {
    if (this.#works.size === 0 && this.#outbox.length === 0) this.#onIdle?.();
  }

  readonly #receive = (frame: channelRpc.ChannelRequest): void => {
    if (this.#ended) return;
    if (this.#service === undefined) {
      this.#service = this.#options.services.get(frame.service);
      if (this.#service === undefined) {
        this.#refuse(grpcStatus.UNIMPLEMENTED, 'unknown service');
        return;
      }
      this.#stream.write({
        welcome: {
          maxInFlight: this.#options.maxInFlight,
          maxPayloadBytes: this.#options.maxPayloadBytes,
        },
        answers: [],
      });
    } else if (frame.service !== '') {
      this.#refuse(grpcStatus.INVALID_ARGUMENT, 'the service is named once');
      return;
    }
    for (const call of frame.calls) {
      if (this.#works.has(call.id)) {
        this.#refuse(grpcStatus.INVALID_ARGUMENT, 'an id is in use');
        return;
      }
      this.#begin(this.#service, call);
    }
    for (const id of frame.cancelled) {
      this.#works.get(id)?.drop(new CountersignError('rpc.cancelled'));
      this.#forget(id);
    }
  };

  #begin(service: ServiceRegistration, call: channelRpc.Call): void {
    const binding = service.unary.get(call.method);
    const refusal = this.#refusalOf(call, binding !== undefined);
    if (binding === undefined || refusal !== undefined) {
      this.#answer(call, { error: refusal ?? new CountersignError('internal') });
      return;
    }
    let answered = false;
    const work = Work.start(
      binding,
      call.payload,
      {
        slots: this.#slots,
        maxPayloadBytes: this.#options.maxPayloadBytes,
        deadlineMilliseconds:
          call.deadlineMilliseconds === 0
            ? limits.maxDeadlineMilliseconds
            : Math.min(call.deadlineMilliseconds, limits.maxDeadlineMilliseconds),
        correlationId: call.correlationId === '' ? undefined : call.correlationId.slice(0, 64),
        peer: this.#options.peer,
      },
      (outcome) => {
        answered = true;
        this.#answer(call, outcome);
      },
    );
    // It may have been answered while it started.
    if (work !== undefined && !answered) this.#works.set(call.id, work);
  }

  #refusalOf(call: channelRpc.Call, known: boolean): CountersignError | undefined {
    if (this.#stopping) return new CountersignError('service.stopping');
    if (!known) return new CountersignError('internal', { detail: 'The service does not know the method.' });
    if (call.payload.length > this.#options.maxPayloadBytes) return new CountersignError('request.too_large');
    return undefined;
  }

  #answer(call: channelRpc.Call, outcome: Outcome): void {
    if (outcome.error === undefined) {
      this.#outbox.push({ id: call.id, outcome: { $case: 'payload', value: outcome.payload } });
    } else {
      this.#options.onFailure({
        service: this.#service?.name ?? '',
        // A name that nobody knows could be anything, and must not become a label of a metric.
        method: this.#service?.unary.has(call.method) === true ? call.method : 'unknown',
        correlationId: call.correlationId === '' ? undefined : call.correlationId.slice(0, 64),
        error: outcome.error,
      });
      this.#outbox.push({ id: call.id, outcome: { $case: 'failure', value: failureOf(outcome.error) } });
    }
    this.#forget(call.id);
  }

  #forget(id: number): void {
    this.#works.delete(id);
    if (this.#stopping) this.#checkIdle();
  }

  readonly #write = (answers: channelRpc.Answer[]): boolean => {
    const more = this.#stream.write({ welcome: undefined, answers });
    if (!more) this.#stream.pause();
    if (this.#stopping) setImmediate(() => this.#checkIdle());
    return more;
  };

  #refuse(code: number, details: string): void {
    this.#stream.emit('error', { code, details });
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#outbox.close();
    for (const work of this.#works.values()) work.drop(new CountersignError('rpc.cancelled'));
    this.#works.clear();
    this.#onIdle?.();
  }
}
