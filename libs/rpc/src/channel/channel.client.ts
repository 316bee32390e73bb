import { channelRpc } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import type { Client, ClientDuplexStream } from '@grpc/grpc-js';
import { errorOf, errorOfStatus, grpcStatus } from '../failure.js';
import { backOff, limits } from '../limits.js';
import { Outbox } from './outbox.js';

export interface ChannelClientOptions {
  /** Makes a connection of its own; each attempt gets a new one. */
  readonly open: () => Client;
  /** Full name of the called service. */
  readonly service: string;
  readonly maxInFlight: number;
  readonly maxPayloadBytes: number;
}

export interface ChannelCall {
  /** Name in the protocol, such as `Decide`. */
  readonly method: string;
  readonly payload: Buffer;
  readonly deadlineMilliseconds: number;
  readonly correlationId: string;
  readonly signal: AbortSignal | undefined;
}

type Stream = ClientDuplexStream<channelRpc.ChannelRequest, channelRpc.ChannelResponse>;
type State = 'connecting' | 'open' | 'waiting' | 'closed';

interface Pending {
  readonly resolve: (payload: Buffer) => void;
  readonly reject: (error: CountersignError) => void;
  readonly timer: NodeJS.Timeout;
  readonly signal: AbortSignal | undefined;
  onAbort: (() => void) | undefined;
  sent: boolean;
}

/** A call to be sent, or the id of one to be cancelled. */
type Item = channelRpc.Call | number;

const sizeOf = (item: Item) => (typeof item === 'number' ? 5 : item.payload.length + item.method.length + 24);

/**
 * The caller's end of a channel, reconnecting for as long as it is not closed. Invariants: a call is in `#pending` from its
 * acceptance until it is settled, once; when a stream breaks all of them fail, whether sent or not, and none is sent again.
 */
export class ChannelClient {
  readonly #options: ChannelClientOptions;
  readonly #outbox: Outbox<Item>;
  readonly #pending = new Map<number, Pending>();
  readonly #waiters = new Set<() => void>();
  #state: State = 'connecting';
  #stream: Stream | undefined;
  #client: Client | undefined;
  #nextId = 1;
  #maxInFlight: number;
  #maxPayloadBytes: number;
  #failures = 0;
  #lastFailure: unknown;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ChannelClientOptions) {
    this.#options = options;
    this.#maxInFlight = options.maxInFlight;
    this.#maxPayloadBytes = options.maxPayloadBytes;
    this.#outbox = new Outbox(this.#write, sizeOf, limits.batchBytes);
    this.#connect();
  }

  get connected(): boolean {
    return this.#state === 'open';
  }

  get inFlight(): number {
    return this.#pending.size;
  }

  /** Resolves once connected. Rejects with rpc.unavailable after the time, milliseconds. */
  async whenConnected(milliseconds: number): Promise<void> {
    if (this.#state === 'open') return;
    await new Promise<void>((resolve, reject) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiters.delete(done);
        if (this.#state === 'open') resolve();
        else reject(this.#unavailable());
      };
      const timer = setTimeout(done, milliseconds);
      this.#waiters.add(done);
      if (this.#state === 'closed') done();
    });
  }

  call(call: ChannelCall): Promise<Buffer> {
    const refusal = this.#refusalOf(call);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      const id = this.#freeId();
      const pending: Pending = {
        resolve,
        reject,
        timer: setTimeout(this.#late, call.deadlineMilliseconds, id),
        signal: call.signal,
        onAbort: undefined,
        sent: false,
      };
      if (call.signal !== undefined) {
        pending.onAbort = () => this.#abandon(id, new CountersignError('rpc.cancelled'));
        call.signal.addEventListener('abort', pending.onAbort, { once: true });
      }
      this.#pending.set(id, pending);
      this.#enqueue({
        id,
        method: call.method,
        deadlineMilliseconds: call.deadlineMilliseconds,
        payload: call.payload,
        correlationId: call.correlationId,
      });
    });
  }

  /** Ends the connection; calls in flight fail with rpc.cancelled. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#outbox.close();
    this.#release();
    this.#failAll(() => new CountersignError('rpc.cancelled'));
    this.#wake();
  }

  #refusalOf(call: ChannelCall): CountersignError | undefined {
    if (this.#state === 'closed' || this.#state === 'waiting') return this.#unavailable();
    if (call.signal?.aborted === true) return new CountersignError('rpc.cancelled');
    if (call.payload.length > this.#maxPayloadBytes) return new CountersignError('request.too_large');
    if (this.#pending.size >= this.#maxInFlight) return new CountersignError('rpc.overloaded');
    return undefined;
  }

  #unavailable(): CountersignError {
    return new CountersignError('rpc.unavailable', { cause: this.#lastFailure });
  }

  #freeId(): number {
    do {
      this.#nextId = this.#nextId >= 0xffff_ffff ? 1 : this.#nextId + 1;
    } while (this.#pending.has(this.#nextId));
    return this.#nextId;
  }

  #enqueue(item: Item): void {
    // While the service does not read, calls that nobody waits for any more must not pile up.
    if (this.#outbox.length > 2 * this.#maxInFlight) {
      this.#outbox.prune((waiting) => typeof waiting === 'number' || this.#pending.has(waiting.id));
    }
    this.#outbox.push(item);
  }

  readonly #late = (id: number): void => this.#abandon(id, new CountersignError('rpc.deadline'));

  #abandon(id: number, error: CountersignError): void {
    const pending = this.#take(id);
    if (pending === undefined) return;
    if (pending.sent) this.#enqueue(id);
    pending.reject(error);
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    if (pending.onAbort !== undefined) pending.signal?.removeEventListener('abort', pending.onAbort);
    return pending;
  }

  readonly #write = (items: Item[]): boolean => {
    const calls: channelRpc.Call[] = [];
    const cancelled: number[] = [];
    for (const item of items) {
      if (typeof item === 'number') {
        cancelled.push(item);
        continue;
      }
      const pending = this.#pending.get(item.id);
      if (pending === undefined) continue;
      pending.sent = true;
      calls.push(item);
    }
    if (calls.length === 0 && cancelled.length === 0) return true;
    return this.#stream?.write({ service: '', calls, cancelled }) ?? true;
  };

  #connect(): void {
    this.#state = 'connecting';
    // Nothing goes out before the service has said what it bears.
    this.#outbox.block();
    const client = this.#options.open();
    const method = channelRpc.ChannelServiceService.channel;
    const stream = client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
    );
    this.#client = client;
    this.#stream = stream;
    this.#timer = setTimeout(
      () => this.#broken(stream, new CountersignError('rpc.deadline')),
      limits.connectMilliseconds,
    );
    stream.on('data', (frame: channelRpc.ChannelResponse) => this.#receive(stream, frame));
    stream.on('drain', () => {
      if (stream === this.#stream && this.#state === 'open') this.#outbox.resume();
    });
    stream.on('error', (error) => this.#broken(stream, error));
    stream.on('end', () => this.#broken(stream, new CountersignError('service.stopping')));
    stream.write({ service: this.#options.service, calls: [], cancelled: [] });
  }

  #receive(stream: Stream, frame: channelRpc.ChannelResponse): void {
    if (stream !== this.#stream) return;
    if (frame.welcome !== undefined) this.#welcome(frame.welcome);
    for (const answer of frame.answers) {
      // None is wanted any more where the deadline was missed or the call cancelled.
      const pending = this.#take(answer.id);
      if (pending === undefined) continue;
      if (answer.outcome?.$case === 'payload') pending.resolve(answer.outcome.value);
      else if (answer.outcome?.$case === 'failure') pending.reject(errorOf(answer.outcome.value));
      // proto3 leaves out an empty payload only where there is no oneof: this is no answer of ours.
      else pending.reject(new CountersignError('internal', { detail: 'The answer holds nothing.' }));
    }
  }

  #welcome(welcome: channelRpc.Welcome): void {
    if (this.#state !== 'connecting') return;
    clearTimeout(this.#timer);
    this.#state = 'open';
    this.#failures = 0;
    this.#maxInFlight = Math.min(this.#options.maxInFlight, welcome.maxInFlight);
    this.#maxPayloadBytes = Math.min(this.#options.maxPayloadBytes, welcome.maxPayloadBytes);
    this.#outbox.resume();
    this.#wake();
  }

  #broken(stream: Stream, error: unknown): void {
    if (stream !== this.#stream || this.#state === 'closed') return;
    this.#release();
    this.#state = 'waiting';
    this.#lastFailure = error;
    this.#outbox.prune(() => false);
    this.#timer = setTimeout(() => this.#connect(), backOff(this.#failures, Math.random()));
    this.#failures += 1;
    this.#failAll(() => this.#causeOfBreak(error));
  }

  /** Whatever broke it: who called learns that the outcome is unknown. A refusal of this caller is said as such. */
  #causeOfBreak(error: unknown): CountersignError {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === grpcStatus.PERMISSION_DENIED)
      return new CountersignError('auth.kind_forbidden', { cause: error });
    if (code === grpcStatus.UNIMPLEMENTED) return errorOfStatus(grpcStatus.UNIMPLEMENTED, error);
    return new CountersignError('rpc.unavailable', { cause: error });
  }

  #release(): void {
    clearTimeout(this.#timer);
    const [stream, client] = [this.#stream, this.#client];
    this.#stream = undefined;
    this.#client = undefined;
    stream?.on('error', () => undefined);
    stream?.cancel();
    client?.close();
  }

  #failAll(error: () => CountersignError): void {
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(error());
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }
}
