import { CountersignError, toCountersignError } from '@countersign/errors';
import type { Client, ClientReadableStream, Metadata, ServiceError } from '@grpc/grpc-js';
import { decodeTrailer, errorOfStatus, errorTrailer } from './failure.js';

/** The catalogued form of what a grpc-js call failed with. */
export function errorOfService(thrown: unknown): CountersignError {
  if (!(thrown instanceof Error) || !('code' in thrown) || typeof thrown.code !== 'number') {
    return toCountersignError(thrown);
  }
  const metadata = (thrown as Partial<ServiceError>).metadata;
  const trailer = metadata?.get(errorTrailer)[0];
  const carried = trailer instanceof Buffer ? decodeTrailer(trailer) : undefined;
  return carried ?? errorOfStatus(thrown.code, thrown);
}

export interface StreamCall<Response> {
  /** Makes a connection of its own, closed with the stream. */
  readonly open: () => Client;
  readonly path: string;
  readonly request: Buffer;
  readonly decode: (bytes: Buffer) => Response;
  readonly signal: AbortSignal | undefined;
  readonly metadata: Metadata;
}

const identity = (bytes: Buffer) => bytes;

/**
 * Messages of a server-streaming method, at the pace of whoever reads them. Reading begins with the first `next`; leaving the
 * loop, or the signal, ends the call. Throws catalogued errors, rpc.cancelled for the signal.
 */
export function streamOf<Response>(call: StreamCall<Response>): AsyncIterable<Response> {
  return { [Symbol.asyncIterator]: () => new StreamIterator(call) };
}

class StreamIterator<Response> implements AsyncIterator<Response> {
  readonly #call: StreamCall<Response>;
  #client: Client | undefined;
  #stream: ClientReadableStream<Response> | undefined;
  #source: AsyncIterator<Response> | undefined;
  #ended = false;

  constructor(call: StreamCall<Response>) {
    this.#call = call;
  }

  async next(): Promise<IteratorResult<Response>> {
    if (this.#ended) return { done: true, value: undefined };
    if (this.#call.signal?.aborted === true) {
      this.#end();
      throw new CountersignError('rpc.cancelled');
    }
    try {
      const step: IteratorResult<Response> = await this.#begin().next();
      if (step.done === true) this.#end();
      return step;
    } catch (thrown) {
      this.#end();
      throw errorOfService(thrown);
    }
  }

  async return(): Promise<IteratorResult<Response>> {
    this.#end();
    return { done: true, value: undefined };
  }

  #begin(): AsyncIterator<Response> {
    if (this.#source !== undefined) return this.#source;
    const client = this.#call.open();
    const stream = client.makeServerStreamRequest(
      this.#call.path,
      identity,
      this.#call.decode,
      this.#call.request,
      this.#call.metadata,
    );
    this.#client = client;
    this.#stream = stream;
    this.#call.signal?.addEventListener('abort', this.#cancel, { once: true });
    // An error between two reads would otherwise have nobody to hear it.
    stream.on('error', () => undefined);
    this.#source = stream[Symbol.asyncIterator]() as AsyncIterator<Response>;
    return this.#source;
  }

  readonly #cancel = (): void => this.#stream?.cancel();

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#call.signal?.removeEventListener('abort', this.#cancel);
    this.#stream?.cancel();
    this.#client?.close();
  }
}
