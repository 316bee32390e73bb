import { CountersignError, toCountersignError } from '@countersign/errors';
import { Metadata, type ServerUnaryCall, type ServerWritableStream, type sendUnaryData } from '@grpc/grpc-js';
import { type FailedCall, type Slots, Work } from './channel/index.js';
import type { CallContext, ServiceRegistration, StreamBinding, UnaryBinding } from './definition.js';
import { encodeTrailer, errorOfHandler, errorTrailer, grpcStatus } from './failure.js';
import { limits } from './limits.js';
import { peerOf } from './peer.js';

/** Header that carries the correlation id of an ordinary call. */
export const correlationHeader = 'x-correlation-id';

export interface OrdinaryOptions {
  readonly serverSlots: Slots;
  readonly streamSlots: Slots;
  /** Unary calls in flight. */
  readonly works: Set<Work>;
  readonly maxPayloadBytes: number;
  /** Aborted when the server stops: streams have no end of their own. */
  readonly stopping: AbortSignal;
  readonly onFailure: (failed: FailedCall) => void;
}

/** How an error travels in ordinary gRPC: status and sentence for anyone, the whole in a trailer for us. */
export function statusOf(error: CountersignError) {
  const metadata = new Metadata();
  metadata.set(errorTrailer, encodeTrailer(error));
  return { code: grpcStatus[error.entry.grpc], details: error.message, metadata };
}

interface Surroundings {
  readonly metadata: Metadata;
  getAuthContext(): { readonly sslPeerCertificate?: { readonly subjectaltname?: string } } | null;
  getDeadline(): Date | number;
}

export function peerOfCall(call: Pick<Surroundings, 'getAuthContext'>): string | undefined {
  return peerOf(call.getAuthContext()?.sslPeerCertificate?.subjectaltname);
}

function correlationOf(call: Surroundings): string | undefined {
  const value = call.metadata.get(correlationHeader)[0];
  return typeof value === 'string' ? value.slice(0, 64) : undefined;
}

function timeLeft(call: Surroundings): number {
  const left = Number(call.getDeadline()) - Date.now();
  return Number.isFinite(left)
    ? Math.max(1, Math.min(left, limits.maxDeadlineMilliseconds))
    : limits.maxDeadlineMilliseconds;
}

/** Answers a method as ordinary unary gRPC, under the bounds of the channel. */
export function unaryHandler(service: ServiceRegistration, binding: UnaryBinding, options: OrdinaryOptions) {
  return (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>): void => {
    const correlationId = correlationOf(call);
    const fail = (error: CountersignError) => {
      options.onFailure({ service: service.name, method: binding.name, correlationId, error });
      callback(statusOf(error));
    };
    if (options.stopping.aborted) {
      fail(new CountersignError('service.stopping'));
      return;
    }
    // gRPC has decoded the request, and encodes the answer again itself; so the answer passes as it is.
    let response: unknown;
    // Set after the start; the answer may come before.
    let work: Work | undefined;
    let answered = false;
    work = Work.start(
      {
        ...binding,
        encode: (value) => {
          response = value;
          return binding.encode(value);
        },
      },
      { message: call.request },
      {
        slots: [options.serverSlots],
        maxPayloadBytes: options.maxPayloadBytes,
        deadlineMilliseconds: timeLeft(call),
        correlationId,
        peer: peerOfCall(call),
      },
      (outcome) => {
        answered = true;
        if (work !== undefined) options.works.delete(work);
        if (outcome.error === undefined) callback(null, response);
        else fail(outcome.error);
      },
    );
    const started = work;
    if (started === undefined || answered) return;
    options.works.add(started);
    call.on('cancelled', () => {
      options.works.delete(started);
      started.drop(new CountersignError('rpc.cancelled'));
    });
  };
}

/** Answers a server-streaming method; the caller's pace is the handler's. */
export function streamHandler(
  service: ServiceRegistration,
  binding: StreamBinding,
  options: OrdinaryOptions,
) {
  return async (call: ServerWritableStream<unknown, unknown>): Promise<void> => {
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort(new CountersignError('rpc.cancelled')));
    const signal = AbortSignal.any([gone.signal, options.stopping]);
    const context: CallContext = { signal, correlationId: correlationOf(call), peer: peerOfCall(call) };
    const fail = (error: CountersignError) => {
      options.onFailure({
        service: service.name,
        method: binding.name,
        correlationId: context.correlationId,
        error,
      });
      call.emit('error', statusOf(error));
    };
    if (!options.streamSlots.take()) {
      fail(new CountersignError('rpc.overloaded'));
      return;
    }
    let iterator: AsyncIterator<unknown> | undefined;
    try {
      iterator = binding.handle(call.request, context)[Symbol.asyncIterator]();
      const ended = untilAborted(signal);
      while (!signal.aborted) {
        const step = await Promise.race([iterator.next(), ended]);
        if (step === undefined || step.done === true) break;
        if (!call.write(step.value)) await Promise.race([drained(call), ended]);
      }
      if (options.stopping.aborted) fail(new CountersignError('service.stopping'));
      else call.end();
    } catch (thrown) {
      fail(errorOfHandler(thrown, signal));
    } finally {
      options.streamSlots.release();
      gone.abort(new CountersignError('rpc.cancelled'));
      // Not awaited: a generator that waits for something else must not hold this one up.
      void Promise.resolve(iterator?.return?.()).catch((error: unknown) =>
        options.onFailure({
          service: service.name,
          method: binding.name,
          correlationId: context.correlationId,
          error: toCountersignError(error),
        }),
      );
    }
  };
}

function untilAborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

function drained(call: ServerWritableStream<unknown, unknown>): Promise<undefined> {
  return new Promise((resolve) => {
    call.once('drain', () => resolve(undefined));
  });
}
