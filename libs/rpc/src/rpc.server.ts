import { channelRpc } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import {
  logVerbosity,
  Server,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { grpcTarget, parseAddress, requireGuard } from './address.js';
import { ChannelServer, type FailedCall, Slots } from './channel/index.js';
import type { ServiceRegistration } from './definition.js';
import { connectionOptions, limits } from './limits.js';
import {
  type OrdinaryOptions,
  peerOfCall,
  statusOf,
  streamHandler,
  unaryHandler,
} from './ordinary.server.js';
import { guardSocket, prepareSocket, removeSocket } from './socket.server.js';
import { serverCredentials, type TlsFiles } from './tls.driver.js';

export interface ServeOptions {
  /** `unix:/path`, in a folder that only this user enters, or `host:port`; port 0 takes a free one. */
  readonly address: string;
  /** Mutual TLS; required for `host:port` outside loopback. */
  readonly tls?: TlsFiles | undefined;
  readonly services: readonly ServiceRegistration[];
  /** Services whose certificates may call, by name; any of the deployment's where left out. With TLS only. */
  readonly peers?: readonly string[] | undefined;
  /** Calls in flight over all channels (default 4096), and on one of them (default 1024). */
  readonly maxInFlight?: number | undefined;
  readonly maxInFlightPerChannel?: number | undefined;
  /** Largest request or response, bytes (default 16 MiB). */
  readonly maxPayloadBytes?: number | undefined;
  /** Hears of every call that ended in an error, for logs and counts; causes stand in `error.cause`. */
  readonly onFailure?: ((failed: FailedCall) => void) | undefined;
}

export interface RpcServer {
  /** Where it listens, with the port it got. */
  readonly address: string;
  /** Calls in flight now. */
  readonly inFlight: number;
  /** Takes no more calls, lets those in flight finish for `graceMilliseconds` (default 5000), then cuts them off. */
  close(graceMilliseconds?: number): Promise<void>;
}

type UnaryCall = ServerUnaryCall<unknown, unknown>;
type StreamCall = ServerWritableStream<unknown, unknown>;
type ChannelStream = ServerDuplexStream<channelRpc.ChannelRequest, channelRpc.ChannelResponse>;

// It would write to standard error, past the log; whatever it has to say is thrown or answered as well.
setLogVerbosity(logVerbosity.NONE);

function bind(server: Server, target: string, options: ServeOptions): Promise<number> {
  const credentials = serverCredentials(options.tls);
  return new Promise((resolve, reject) => {
    server.bindAsync(target, credentials, (error, port) => {
      if (error === null) resolve(port);
      else if (/EADDRINUSE/.test(error.message)) {
        reject(
          new CountersignError('service.port_in_use', { detail: `The address is ${target}.`, cause: error }),
        );
      } else {
        reject(
          new CountersignError('config.invalid', {
            detail: `Nothing can listen at ${target}.`,
            cause: error,
          }),
        );
      }
    });
  });
}

/**
 * Answers services over the multiplexed channel and as ordinary gRPC at once.
 * Throws config.invalid, or service.port_in_use.
 */
export async function serveRpc(options: ServeOptions): Promise<RpcServer> {
  const address = parseAddress(options.address);
  requireGuard(address, options.tls !== undefined);
  const maxPayloadBytes = options.maxPayloadBytes ?? limits.maxPayloadBytes;
  const maxInFlight = options.maxInFlightPerChannel ?? limits.maxInFlight;
  const serverSlots = new Slots(options.maxInFlight ?? limits.maxInFlightOfServer);
  const services = new Map(options.services.map((service) => [service.name, service]));
  const channels = new Set<ChannelServer>();
  const stopping = new AbortController();
  const onFailure = options.onFailure ?? (() => undefined);
  const ordinary: OrdinaryOptions = {
    serverSlots,
    streamSlots: new Slots(maxInFlight),
    works: new Set(),
    maxPayloadBytes,
    stopping: stopping.signal,
    onFailure,
  };
  const mayCall = (peer: string | undefined) =>
    options.peers === undefined || options.tls === undefined
      ? true
      : peer !== undefined && options.peers.some((service) => peer.startsWith(`${service}/`));

  const server = new Server({ ...connectionOptions(maxPayloadBytes), 'grpc.max_concurrent_streams': 1024 });
  for (const service of options.services) {
    const implementation: UntypedServiceImplementation = {};
    for (const [key, method] of Object.entries(service.definition)) {
      const name = method.path.slice(method.path.lastIndexOf('/') + 1);
      const unary = service.unary.get(name);
      const stream = service.streams.get(name);
      if (unary !== undefined) {
        const handle = unaryHandler(service, unary, ordinary);
        implementation[key] = (call: UnaryCall, callback: sendUnaryData<unknown>) =>
          mayCall(peerOfCall(call)) ? handle(call, callback) : callback(statusOf(forbidden()));
      } else if (stream !== undefined) {
        const handle = streamHandler(service, stream, ordinary);
        implementation[key] = (call: StreamCall) =>
          mayCall(peerOfCall(call)) ? void handle(call) : call.emit('error', statusOf(forbidden()));
      }
    }
    server.addService(service.definition as Parameters<Server['addService']>[0], implementation);
  }
  server.addService(channelRpc.ChannelServiceService, {
    channel(stream: ChannelStream): void {
      const peer = peerOfCall(stream);
      if (stopping.signal.aborted || !mayCall(peer)) {
        stream.emit(
          'error',
          statusOf(stopping.signal.aborted ? new CountersignError('service.stopping') : forbidden()),
        );
        return;
      }
      const channel = new ChannelServer(stream, {
        services,
        serverSlots,
        maxInFlight,
        maxPayloadBytes,
        peer,
        onFailure,
      });
      channels.add(channel);
      void channel.ended.then(() => channels.delete(channel));
    },
  });

  if (address.kind === 'unix') await prepareSocket(address.path);
  const port = await bind(server, grpcTarget(address), options);
  if (address.kind === 'unix') guardSocket(address.path);

  return {
    address: address.kind === 'unix' ? options.address : grpcTarget({ ...address, port }),
    get inFlight() {
      return serverSlots.taken;
    },
    async close(graceMilliseconds = 5000) {
      stopping.abort(new CountersignError('service.stopping'));
      let timer: NodeJS.Timeout | undefined;
      const graceful = Promise.all([...channels].map((channel) => channel.stop())).then(
        () => new Promise<void>((resolve) => server.tryShutdown(() => resolve())),
      );
      const limit = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, graceMilliseconds);
      });
      await Promise.race([graceful, limit]);
      clearTimeout(timer);
      // Cut one by one, since forceShutdown leaves streams open that wait for a handler.
      for (const channel of channels) channel.cut();
      for (const work of ordinary.works) work.fail(new CountersignError('service.stopping'));
      await new Promise(setImmediate);
      server.forceShutdown();
      if (address.kind === 'unix') removeSocket(address.path);
    },
  };
}

const forbidden = () => new CountersignError('auth.kind_forbidden');
