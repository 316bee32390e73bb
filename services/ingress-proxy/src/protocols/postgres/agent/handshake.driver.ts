import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { CountersignError } from '@countersign/errors';
import type { Transport } from '../../../session/index.js';
import type { Channel } from '../channel.driver.js';
import {
  authenticationRules,
  type CancelRequest,
  decodeFirstPacket,
  decodeText,
  isDropped,
  toClient,
} from '../codec/index.js';

/** What a peer said of itself before it proved anything. */
export interface Introduction {
  readonly target: string;
  readonly user: string;
  readonly transport: Transport;
}

export interface HandshakeOptions {
  readonly channel: Channel;
  /** How the bytes came here: over TCP, loopback TCP or a Unix socket. */
  readonly carrier: 'network' | 'loopback' | 'unix';
  readonly tls: SecureContext | null;
  /** Milliseconds since 1970 at which patience ends. */
  readonly deadline: number;
  readonly now: () => number;
}

/** A peer that left without asking anything. */
export const LEFT = Symbol('left');

const TLS_YES = Buffer.from('S');
const NO = Buffer.from('N');
/** SSLRequest, GSSENCRequest, StartupMessage: more is not serious. */
const MOST_PACKETS = 3;
const UTF8_NAMES = ['utf8', 'utf-8', 'unicode', "'utf8'"];

/**
 * The first packets, up to the request for a token.
 * @throws CountersignError protocol.*, auth.insecure_transport, with the target where it was named
 */
export async function introduce(
  options: HandshakeOptions,
): Promise<Introduction | { readonly cancel: CancelRequest } | typeof LEFT> {
  const { channel } = options;
  let secured = false;
  for (let count = 0; count < MOST_PACKETS; count += 1) {
    const frame = await channel.read(left(options));
    if (frame === null) return LEFT;
    if (isDropped(frame)) throw new CountersignError('protocol.malformed');
    const packet = decodeFirstPacket(frame.body);
    switch (packet.kind) {
      case 'cancel':
        return { cancel: packet };
      case 'gss':
        channel.write(NO);
        break;
      case 'tls':
        if (options.tls === null || secured) {
          channel.write(NO);
          break;
        }
        // Bytes that came in clear behind the request would be taken for bytes that came through TLS.
        if (channel.hasPendingBytes) throw new CountersignError('protocol.malformed');
        await secure(channel, options.tls, left(options));
        secured = true;
        break;
      case 'startup':
        return startUp(packet, options, secured);
    }
  }
  throw new CountersignError('protocol.out_of_order');
}

function startUp(
  packet: { readonly minor: number; readonly parameters: ReadonlyMap<string, string> },
  options: HandshakeOptions,
  secured: boolean,
): Introduction {
  const { parameters, minor } = packet;
  const user = parameters.get('user') ?? '';
  const target = parameters.get('database') ?? user;
  if (user === '') throw new CountersignError('protocol.malformed', { detail: 'The user is missing.' });
  if (parameters.has('replication')) throw unsupported('Replication is not spoken here.');
  if (parameters.has('options')) throw unsupported('Command-line options are not taken.');
  const encoding = parameters.get('client_encoding');
  if (encoding !== undefined && !UTF8_NAMES.includes(encoding.toLowerCase())) {
    throw unsupported('The only client encoding is UTF8.');
  }
  if (options.carrier === 'network' && !secured) throw new CountersignError('auth.insecure_transport');
  const unknown = [...parameters.keys()].filter((name) => name.startsWith('_pq_.'));
  if (minor > 0 || unknown.length > 0) options.channel.write(toClient.negotiateProtocolVersion(unknown));
  return {
    target,
    user,
    transport: secured ? 'tls' : options.carrier === 'unix' ? 'unix' : 'loopback',
  };
}

/** Asks for the token and reads it. Throws auth.token_missing, protocol.*. */
export async function readToken(options: HandshakeOptions): Promise<string> {
  const { channel } = options;
  channel.expectTyped(authenticationRules);
  channel.write(toClient.authenticationCleartext);
  const frame = await channel.read(left(options));
  if (frame === null || isDropped(frame)) throw new CountersignError('auth.token_missing');
  // Terminate instead of a password: psql leaves like this to ask its user first.
  if (frame.type === 'X'.charCodeAt(0)) throw new CountersignError('auth.token_missing');
  const token = decodeText(frame.body.subarray(0, -1));
  if (frame.body.at(-1) !== 0 || token === null) throw new CountersignError('protocol.malformed');
  return token;
}

async function secure(channel: Channel, context: SecureContext, milliseconds: number): Promise<void> {
  channel.write(TLS_YES);
  const socket: Socket = channel.detach();
  const secured = new TLSSocket(socket, {
    isServer: true,
    secureContext: context,
    minVersion: 'TLSv1.2',
  } as ConstructorParameters<typeof TLSSocket>[1]);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const failed = (): void => reject(new CountersignError('protocol.malformed', { detail: 'TLS failed.' }));
  const timer = setTimeout(() => reject(new CountersignError('protocol.timeout')), milliseconds);
  secured.once('secure', resolve).once('error', failed).once('close', failed);
  try {
    await promise;
  } catch (thrown) {
    secured.on('error', () => undefined);
    socket.destroy();
    throw thrown;
  } finally {
    clearTimeout(timer);
    secured.off('secure', resolve).off('error', failed).off('close', failed);
  }
  channel.attach(secured);
}

function left(options: HandshakeOptions): number {
  return Math.max(1, options.deadline - options.now());
}

function unsupported(detail: string): CountersignError {
  return new CountersignError('protocol.unsupported', { detail });
}
