import type { channelRpc } from '@countersign/contracts';
import { CountersignError, fromWire, type GrpcStatus, toCountersignError, toWire } from '@countersign/errors';

/** Status codes of gRPC by name (https://grpc.io/docs/guides/status-codes/). */
export const grpcStatus = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const satisfies Record<GrpcStatus, number>;

/** Trailer of an ordinary gRPC answer that carries the error as JSON. */
export const errorTrailer = 'countersign-error-bin';

/** Sentences longer than this are cut: an error must not be larger than the call. Characters. */
const longest = 2000;

export function failureOf(error: CountersignError): channelRpc.Failure {
  const wire = toWire(error);
  return {
    code: wire.code,
    detail: (wire.detail ?? '').slice(0, longest),
    next: (wire.next ?? '').slice(0, longest),
  };
}

export function errorOf(failure: channelRpc.Failure): CountersignError {
  return fromWire({
    code: failure.code,
    ...(failure.detail === '' ? {} : { detail: failure.detail }),
    ...(failure.next === '' ? {} : { next: failure.next }),
  });
}

export function encodeTrailer(error: CountersignError): Buffer {
  return Buffer.from(JSON.stringify(failureOf(error)));
}

/** The error in a trailer, or undefined where it is none of ours. */
export function decodeTrailer(bytes: Uint8Array): CountersignError | undefined {
  if (bytes.length > 32 * 1024) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    const { code, detail = '', next = '' } = value as Partial<Record<string, unknown>>;
    if (typeof code !== 'string' || typeof detail !== 'string' || typeof next !== 'string') return undefined;
    return errorOf({ code, detail, next });
  } catch {
    return undefined;
  }
}

/** The catalogued form of a status that gRPC itself gave; its text is kept as cause only. */
export function errorOfStatus(code: number, cause: unknown): CountersignError {
  switch (code) {
    case grpcStatus.DEADLINE_EXCEEDED:
      return new CountersignError('rpc.deadline', { cause });
    case grpcStatus.CANCELLED:
      return new CountersignError('rpc.cancelled', { cause });
    case grpcStatus.RESOURCE_EXHAUSTED:
      return new CountersignError('rpc.overloaded', { cause });
    case grpcStatus.UNAVAILABLE:
      return new CountersignError('rpc.unavailable', { cause });
    case grpcStatus.UNIMPLEMENTED:
      return new CountersignError('internal', { detail: 'The service does not know the method.', cause });
    default:
      return new CountersignError('internal', { cause });
  }
}

/** What a handler threw, for the wire. An abort that the handler passes on is a cancellation. */
export function errorOfHandler(thrown: unknown, signal: AbortSignal | undefined): CountersignError {
  if (signal?.aborted === true && thrown === signal.reason)
    return toCountersignError(thrown, 'rpc.cancelled');
  return toCountersignError(thrown);
}
