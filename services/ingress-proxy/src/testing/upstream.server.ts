import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A request as the target got it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

type Handler = (seen: SeenRequest, response: ServerResponse, request: IncomingMessage) => void;

/** An HTTP service behind the gateway that remembers what it got, and answers as it is told to. */
export class TestUpstream {
  readonly seen: SeenRequest[] = [];
  readonly #server;
  readonly #handlers = new Map<string, Handler>();

  private constructor(tls?: { readonly cert: string; readonly key: string }) {
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#serve(request, response);
    };
    this.#server = tls === undefined ? createServer(serve) : createSecureServer(tls, serve);
  }

  static async start(tls?: { readonly cert: string; readonly key: string }): Promise<TestUpstream> {
    const upstream = new TestUpstream(tls);
    await new Promise<void>((resolve) => upstream.#server.listen(0, '127.0.0.1', resolve));
    return upstream;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What to answer to a path without its query. */
  on(path: string, handler: Handler): void {
    this.#handlers.set(path, handler);
  }

  /** Answers a path with a JSON text, to the byte. */
  json(path: string, text: string): void {
    this.on(path, (_, response) => {
      response.setHeader('content-type', 'application/json; charset=utf-8');
      response.end(text);
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method = '', url = '', rawHeaders } = request;
    const seen = { method, url, rawHeaders, body: Buffer.concat(chunks) };
    this.seen.push(seen);
    const handler = this.#handlers.get(url.split('?')[0] ?? '');
    if (handler === undefined) response.writeHead(404).end('zyxquartz is not here');
    else handler(seen, response, request);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
