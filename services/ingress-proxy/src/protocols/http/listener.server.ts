import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { CountersignError } from '@countersign/errors';
import { isLoopbackPeer, peerName } from '../../session/index.js';
import { AgentConnection, answerProblem, type HttpAgentContext, type Peer } from './agent/index.js';
import { problemAnswer } from './answer/index.js';

export interface HttpListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly certificate: string; readonly privateKey: string } | null;
  readonly maximumConnections: number;
  /** Milliseconds for a head to arrive. */
  readonly headMilliseconds: number;
  /** Milliseconds for a whole request to arrive. */
  readonly requestMilliseconds: number;
  /** Milliseconds between two requests of a connection. */
  readonly idleMilliseconds: number;
}

export interface HttpListener {
  readonly address: string;
  /** Takes no more connections, and resolves when those there are have ended, or were ended after a while. */
  close(milliseconds: number): Promise<void>;
}

const HEAD_BYTES = 16 * 1024;
const MOST_HEADERS = 100;
/** Requests after which an agent has to connect anew: no connection, and so no session, lives for ever. */
const MOST_REQUESTS = 100_000;

/** Listens for agents that speak HTTP/1.1. */
export async function listenForRequests(
  context: HttpAgentContext,
  options: HttpListenerOptions,
): Promise<HttpListener> {
  const connections = new Map<Socket, AgentConnection>();
  const open = new Set<Promise<void>>();
  const { tls } = options;
  const settings = {
    insecureHTTPParser: false,
    // That is refused too, but as everything else is.
    requireHostHeader: false,
    maxHeaderSize: HEAD_BYTES,
    headersTimeout: options.headMilliseconds,
    requestTimeout: options.requestMilliseconds,
    keepAliveTimeout: options.idleMilliseconds,
    connectionsCheckingInterval: Math.max(100, Math.min(1000, options.headMilliseconds / 4)),
    noDelay: true,
  };
  const server: Server =
    tls === null
      ? createServer(settings)
      : createSecureServer({
          ...settings,
          cert: tls.certificate,
          key: tls.privateKey,
          minVersion: 'TLSv1.2',
        });
  server.maxHeadersCount = MOST_HEADERS;
  server.maxRequestsPerSocket = MOST_REQUESTS;

  server.on(tls === null ? 'connection' : 'secureConnection', (socket: Socket) => {
    if (connections.size >= options.maximumConnections || context.stopping.aborted) {
      refuse(
        context,
        socket,
        new CountersignError(context.stopping.aborted ? 'service.stopping' : 'session.too_many'),
      );
      return;
    }
    const connection = new AgentConnection(context, peerOf(socket, tls !== null));
    connections.set(socket, connection);
    socket.once('close', () => {
      connections.delete(socket);
      const closed = connection.close().finally(() => open.delete(closed));
      open.add(closed);
    });
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const connection = connections.get(request.socket);
    if (connection === undefined) response.destroy();
    else connection.serve(request, response);
  });
  const unsupported = (_request: IncomingMessage, socket: Socket): void => {
    const next = 'Send plain HTTP/1.1 requests.';
    refuse(context, socket, new CountersignError('protocol.unsupported', { next }));
  };
  server.on('connect', unsupported);
  server.on('upgrade', unsupported);
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    response.shouldKeepAlive = false;
    answerProblem(response, new CountersignError('protocol.unsupported'));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else refuse(context, socket, parsingError(error));
  });
  await listening(server, options);
  return {
    address: addressOf(server),
    async close(milliseconds) {
      server.close();
      for (const [socket, connection] of connections) if (connection.idle) socket.destroySoon();
      const timer = setTimeout(() => server.closeAllConnections(), milliseconds);
      while (connections.size > 0 || open.size > 0) {
        await Promise.allSettled(open);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      clearTimeout(timer);
    },
  };
}

/** What the parser refuses has no session yet that it could be an action of: it is a refused connection. */
function refuse(context: HttpAgentContext, socket: Socket, error: CountersignError): void {
  context.refusals.add({ target: null, agent: null, code: error.code });
  context.observer.refused(error.code);
  const { status, headers, body } = problemAnswer(error);
  const head = [
    `HTTP/1.1 ${status} Refused`,
    ...Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.on('error', () => undefined);
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  socket.end(body);
  socket.destroySoon();
}

function parsingError({ code }: NodeJS.ErrnoException): CountersignError {
  const next = 'Send plain HTTP/1.1 requests.';
  if (code === 'HPE_HEADER_OVERFLOW') return new CountersignError('protocol.too_large', { next });
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new CountersignError('protocol.timeout');
  return new CountersignError('http.ambiguous');
}

function peerOf(socket: Socket, secure: boolean): Peer {
  const loopback = isLoopbackPeer(socket.remoteAddress);
  return { name: peerName(socket.remoteAddress), transport: secure ? 'tls' : loopback ? 'loopback' : null };
}

async function listening(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  await promise;
  server.off('error', reject);
}

function addressOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}
