/**
 * The part of a generated service definition that is used here. Functions take `never`, so that every concrete
 * definition fits; `RequestOf` and `ResponseOf` read the true types back.
 */
export interface Method {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestSerialize: (value: never) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => unknown;
  readonly responseSerialize: (value: never) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => unknown;
}

/** A service as ts-proto writes it for grpc-js, such as `policyRpc.PolicyServiceService`. */
export type Definition = Readonly<Record<string, Method>>;

export type RequestOf<M extends Method> = ReturnType<M['requestDeserialize']>;
export type ResponseOf<M extends Method> = ReturnType<M['responseDeserialize']>;

/** What a handler is told of a call. */
export interface CallContext {
  /** Aborted when the answer is no longer wanted: deadline, cancellation, or the caller has gone. */
  readonly signal: AbortSignal;
  /** Of what the caller does; undefined where it sent none. */
  readonly correlationId: string | undefined;
  /** `<service>/<instance>` of the caller's certificate; undefined without TLS. */
  readonly peer: string | undefined;
}

type Handler<M extends Method> = M extends { readonly requestStream: true }
  ? never
  : M extends { readonly responseStream: true }
    ? (request: RequestOf<M>, context: CallContext) => AsyncIterable<ResponseOf<M>>
    : (request: RequestOf<M>, context: CallContext) => Promise<ResponseOf<M>> | ResponseOf<M>;

export type Handlers<D extends Definition> = { readonly [Name in keyof D]: Handler<D[Name]> };

/** A method with its handler, types forgotten: what comes in decoded goes to the handler of the same method. */
export interface UnaryBinding {
  readonly name: string;
  readonly decode: (bytes: Buffer) => unknown;
  readonly encode: (value: unknown) => Buffer;
  readonly handle: (request: unknown, context: CallContext) => unknown;
}

export interface StreamBinding extends Omit<UnaryBinding, 'handle'> {
  readonly handle: (request: unknown, context: CallContext) => AsyncIterable<unknown>;
}

export interface ServiceRegistration {
  readonly definition: Definition;
  /** Full name, such as `countersign.policy.v1.PolicyService`. */
  readonly name: string;
  /** By the name in the protocol, such as `Decide`. */
  readonly unary: ReadonlyMap<string, UnaryBinding>;
  readonly streams: ReadonlyMap<string, StreamBinding>;
}

/** Service and method of a path `/<service>/<method>`. */
export function partsOf(path: string): { readonly service: string; readonly method: string } {
  const [, service = '', method = ''] = path.split('/');
  return { service, method };
}

/** The full name of a service. Throws TypeError for a definition without methods. */
export function nameOf(definition: Definition): string {
  const first = Object.values(definition)[0];
  if (first === undefined) throw new TypeError('a service definition without methods');
  return partsOf(first.path).service;
}

/** Binds a service to what answers it. */
export function implement<D extends Definition>(definition: D, handlers: Handlers<D>): ServiceRegistration {
  const unary = new Map<string, UnaryBinding>();
  const streams = new Map<string, StreamBinding>();
  for (const [key, method] of Object.entries(definition)) {
    const handler = handlers[key] as unknown;
    if (typeof handler !== 'function') throw new TypeError(`no handler for ${method.path}`);
    const { method: name } = partsOf(method.path);
    const codec = {
      name,
      decode: method.requestDeserialize,
      encode: method.responseSerialize as (value: unknown) => Buffer,
    };
    const bound = handler.bind(handlers) as UnaryBinding['handle'];
    if (method.responseStream) streams.set(name, { ...codec, handle: bound as StreamBinding['handle'] });
    else unary.set(name, { ...codec, handle: bound });
  }
  return { definition, name: nameOf(definition), unary, streams };
}
