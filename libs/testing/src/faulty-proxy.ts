import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';

/** Where a server listens: an address, or a Unix socket. */
export type Upstream = { readonly host: string; readonly port: number } | { readonly path: string };

export interface FaultyProxy {
  readonly host: string;
  readonly port: number;
  /** Connections that stand. */
  readonly connections: number;
  /** Passes everything on again, for connections made from now on; those that stall stay as they are. */
  pass(): void;
  /** Requests reach the server, its answers reach nobody: what was asked happens, and its asker never hears of it. */
  swallowAnswers(): void;
  /**
   * The next answer reaches nobody, and its connection is cut: what was asked has happened by then. Then everything
   * passes on again. Resolves at the cut.
   */
  cutAtAnswer(): Promise<void>;
  /** Nothing passes in either direction, as if the network were gone. New connections are accepted and ignored. */
  stall(): void;
  /** Cuts all connections. */
  cut(): void;
  close(): Promise<void>;
}

type Mode = 'pass' | 'swallow-answers' | 'stall';

/** A TCP proxy on the loopback address that fails on request, for the faults that a killed server does not show. */
export async function startFaultyProxy(server: Upstream): Promise<FaultyProxy> {
  let mode: Mode = 'pass';
  let answered: (() => void) | null = null;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket, other: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
  };
  const proxy = createServer((client) => {
    const upstream = dial(server);
    keep(client, upstream);
    keep(upstream, client);
    client.on('data', (bytes) => {
      if (mode !== 'stall') upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (answered !== null) {
        answered();
        answered = null;
        client.destroy();
      } else if (mode === 'pass') client.write(bytes);
    });
  });
  await new Promise<void>((resolve, reject) => {
    proxy.once('error', reject);
    proxy.listen(0, '127.0.0.1', resolve);
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    host: '127.0.0.1',
    port: (proxy.address() as AddressInfo).port,
    get connections() {
      return sockets.size / 2;
    },
    pass: () => {
      mode = 'pass';
    },
    swallowAnswers: () => {
      mode = 'swallow-answers';
    },
    cutAtAnswer: () =>
      new Promise((resolve) => {
        answered = resolve;
      }),
    stall: () => {
      mode = 'stall';
    },
    cut,
    close: async () => {
      const closed = new Promise((resolve) => proxy.close(resolve));
      cut();
      await closed;
    },
  };
}
