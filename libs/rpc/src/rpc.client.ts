import { CountersignError } from '@countersign/errors';
import { Client, Metadata } from '@grpc/grpc-js';
import { grpcTarget, parseAddress, requireGuard } from './address.js';
import { ChannelClient } from './channel/index.js';
import {
  type Definition,
  type Method,
  nameOf,
  partsOf,
  type RequestOf,
  type ResponseOf,
} from './definition.js';
import { connectionOptions, limits } from './limits.js';
import { correlationHeader } from './ordinary.server.js';
import { serviceIn } from './peer.js';
import { streamOf } from './stream.client.js';
import { channelCredentials, type TlsFiles } from './tls.driver.js';

export interface ConnectOptions {
  readonly address: string;
  /** Mutual TLS; required for `host:port` outside loopback. */
  readonly tls?: TlsFiles | undefined;
  /** For calls that name none, milliseconds (default 5000). */
  readonly deadlineMilliseconds?: number | undefined;
  /** Calls in flight (default 1024); one more is refused with rpc.overloaded. */
  readonly maxInFlight?: number | undefined;
  /** Largest request, bytes (default 16 MiB). */
  readonly maxPayloadBytes?: number | undefined;
}

export interface CallOptions {
  readonly deadlineMilliseconds?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** At most 64 characters. */
  readonly correlationId?: string | undefined;
}

type ClientMethod<M extends Method> = M extends { readonly requestStream: true }
  ? never
  : M extends { readonly responseStream: true }
    ? (
        request: RequestOf<M>,
        options?: Omit<CallOptions, 'deadlineMilliseconds'>,
      ) => AsyncIterable<ResponseOf<M>>
    : (request: RequestOf<M>, options?: CallOptions) => Promise<ResponseOf<M>>;

export interface Connection {
  /** Whether the channel is open now; for readiness. */
  readonly connected: boolean;
  /** Calls in flight now. */
  readonly inFlight: number;
  /** Resolves once the channel is open; rejects with rpc.unavailable after the time (default 5000 milliseconds). */
  whenConnected(milliseconds?: number): Promise<void>;
  /** Ends the channel; calls in flight fail with rpc.cancelled. */
  close(): void;
}

export type RpcClient<D extends Definition> = {
  readonly [Name in keyof D]: ClientMethod<D[Name]>;
} & Connection;

/**
 * A client of a service. It connects at once and reconnects by itself. A call made while there is no connection, and one in
 * flight when it breaks, fails at once with rpc.unavailable: whether to repeat it is the caller's to know.
 * Throws config.invalid for an address that needs TLS, or files that cannot be read.
 */
export function connectRpc<D extends Definition>(definition: D, options: ConnectOptions): RpcClient<D> {
  const address = parseAddress(options.address);
  requireGuard(address, options.tls !== undefined);
  const maxPayloadBytes = options.maxPayloadBytes ?? limits.maxPayloadBytes;
  const service = nameOf(definition);
  const credentials = channelCredentials(options.tls, serviceIn(service));
  const open = () => new Client(grpcTarget(address), credentials, connectionOptions(maxPayloadBytes));
  const channel = new ChannelClient({
    open,
    service,
    maxInFlight: options.maxInFlight ?? limits.maxInFlight,
    maxPayloadBytes,
  });
  const defaultDeadline = options.deadlineMilliseconds ?? limits.deadlineMilliseconds;

  const unary = (method: Method) => {
    const name = partsOf(method.path).method;
    const encode = method.requestSerialize as (value: unknown) => Buffer;
    return async (request: unknown, call: CallOptions = {}): Promise<unknown> => {
      const payload = await channel.call({
        method: name,
        payload: encode(request),
        deadlineMilliseconds: wholeDeadline(call.deadlineMilliseconds ?? defaultDeadline),
        correlationId: call.correlationId ?? '',
        signal: call.signal,
      });
      return decode(method, payload);
    };
  };
  const streaming = (method: Method) => {
    const encode = method.requestSerialize as (value: unknown) => Buffer;
    return (request: unknown, call: CallOptions = {}): AsyncIterable<unknown> => {
      const metadata = new Metadata();
      if (call.correlationId !== undefined) metadata.set(correlationHeader, call.correlationId);
      return streamOf({
        open,
        path: method.path,
        request: encode(request),
        decode: method.responseDeserialize,
        signal: call.signal,
        metadata,
      });
    };
  };

  const methods = Object.fromEntries(
    Object.entries(definition)
      .filter(([, method]) => !method.requestStream)
      .map(([key, method]) => [key, method.responseStream ? streaming(method) : unary(method)]),
  );
  const connection: Connection = {
    get connected() {
      return channel.connected;
    },
    get inFlight() {
      return channel.inFlight;
    },
    whenConnected: (milliseconds = limits.connectMilliseconds) => channel.whenConnected(milliseconds),
    close: () => channel.close(),
  };
  return Object.defineProperties(methods, Object.getOwnPropertyDescriptors(connection)) as RpcClient<D>;
}

function decode(method: Method, payload: Buffer): unknown {
  try {
    return method.responseDeserialize(payload);
  } catch (cause) {
    throw new CountersignError('internal', { detail: 'The answer cannot be decoded.', cause });
  }
}

const wholeDeadline = (milliseconds: number) =>
  Math.ceil(Math.max(1, Math.min(milliseconds, limits.maxDeadlineMilliseconds)));
