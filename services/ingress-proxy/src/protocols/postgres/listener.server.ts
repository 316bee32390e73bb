import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { CountersignError } from '@countersign/errors';
import { isLoopbackPeer, peerName } from '../../session/index.js';
import { type AgentContext, CancelKeys, reportOf, serveAgent } from './agent/index.js';
import { Channel } from './channel.driver.js';
import { FIRST_PACKET_LIMIT, sessionRules, toClient } from './codec/index.js';

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** A Unix socket beside TCP; null for none. */
  readonly socket: string | null;
  readonly maximumConnections: number;
  /** Milliseconds that an agent may leave its answer unread. */
  readonly stallMilliseconds: number;
}

export interface PostgresListener {
  readonly address: string;
  readonly connections: number;
  /** Takes no more connections, and resolves when those there are have ended, or were ended after a while. */
  close(milliseconds: number): Promise<void>;
}

/** Listens for agents that speak PostgreSQL 3.0. */
export async function listenForAgents(
  context: AgentContext,
  options: ListenerOptions,
): Promise<PostgresListener> {
  const open = new Set<Promise<void>>();
  const sockets = new Set<Socket>();
  const serving = { ...context, cancelKeys: new CancelKeys() };
  const accept = (socket: Socket, unix: boolean): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const channel = new Channel(socket, {
      rules: sessionRules(context.limits.maximumStatement),
      untyped: true,
      untypedMaximum: FIRST_PACKET_LIMIT,
      stallMilliseconds: options.stallMilliseconds,
    });
    if (open.size >= options.maximumConnections || context.stopping.aborted) {
      refuse(context, channel);
      return;
    }
    const carrier = unix ? 'unix' : isLoopbackPeer(socket.remoteAddress) ? 'loopback' : 'network';
    const served = serveAgent(serving, channel, { carrier, name: peerName(socket.remoteAddress) }).finally(
      () => open.delete(served),
    );
    open.add(served);
  };
  const servers = [
    await listening(
      createServer((socket) => accept(socket, false)),
      options,
    ),
  ];
  if (options.socket !== null) {
    rmSync(options.socket, { force: true });
    servers.push(
      await listening(
        createServer((socket) => accept(socket, true)),
        { path: options.socket },
      ),
    );
    chmodSync(options.socket, 0o600);
  }
  return {
    address: addressOf(servers[0]),
    get connections() {
      return open.size;
    },
    async close(milliseconds) {
      for (const server of servers) server.close();
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, milliseconds);
      await Promise.allSettled(open);
      clearTimeout(timer);
      for (const socket of sockets) socket.destroySoon();
    },
  };
}

function refuse(context: AgentContext, channel: Channel): void {
  const error = new CountersignError(context.stopping.aborted ? 'service.stopping' : 'session.too_many');
  context.refusals.add({ target: null, agent: null, code: error.code });
  context.observer.refused(error.code);
  channel.write(toClient.errorResponse(reportOf(error, { fatal: true })));
  channel.end();
}

function addressOf(server: Server | undefined): string {
  const address = server?.address() ?? null;
  if (address === null || typeof address === 'string') return address ?? '';
  return address.family === 'IPv6'
    ? `[${address.address}]:${address.port}`
    : `${address.address}:${address.port}`;
}

async function listening(
  server: Server,
  where: { readonly host: string; readonly port: number } | { readonly path: string },
): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  if ('path' in where) server.listen(where.path, resolve);
  else server.listen(where.port, where.host, resolve);
  await promise;
  server.off('error', reject);
  return server;
}
