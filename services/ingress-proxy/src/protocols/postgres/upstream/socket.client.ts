import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { CountersignError } from '@countersign/errors';
import { toTarget } from '../codec/index.js';

/** Where a target is and how to reach it. */
export interface TargetAddress {
  /** A host, or the folder of a Unix socket when it begins with a slash. */
  readonly host: string;
  readonly port: number;
  /** TLS with verification of the certificate; null in clear. */
  readonly tls: { readonly authority: string | null; readonly serverName: string } | null;
}

const TLS_ACCEPTED = 'S'.charCodeAt(0);

/** Opens a connection to a target, with TLS where it is configured. Throws target.unavailable. */
export async function openTargetSocket(address: TargetAddress, milliseconds: number): Promise<Socket> {
  const plain = await openPlain(address, milliseconds);
  if (address.tls === null) return plain;
  try {
    plain.write(toTarget.tlsRequest);
    if ((await readAnswer(plain, milliseconds)) !== TLS_ACCEPTED)
      throw unavailable('The target speaks no TLS.');
    return await secure(plain, address.tls, milliseconds);
  } catch (thrown) {
    plain.destroy();
    throw thrown;
  }
}

function openPlain(address: TargetAddress, milliseconds: number): Promise<Socket> {
  const socket = address.host.startsWith('/')
    ? connectSocket(`${address.host}/.s.PGSQL.${address.port}`)
    : connectSocket(address.port, address.host);
  return settled(socket, 'connect', milliseconds);
}

async function readAnswer(socket: Socket, milliseconds: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const timer = setTimeout(() => reject(unavailable('The target does not answer.')), milliseconds);
  const failed = (): void => reject(unavailable('The target closed the connection.'));
  socket.once('data', resolve).once('error', failed).once('close', failed);
  try {
    const answer = await promise;
    socket.pause();
    // Whatever follows the one byte in clear was not sent by whom TLS is to authenticate.
    if (answer.length !== 1) throw unavailable('The target does not follow the protocol.');
    return answer.readUInt8(0);
  } finally {
    clearTimeout(timer);
    socket.off('data', resolve).off('error', failed).off('close', failed);
  }
}

function secure(
  socket: Socket,
  tls: { readonly authority: string | null; readonly serverName: string },
  milliseconds: number,
): Promise<Socket> {
  const secured = connectTls({
    socket,
    // An address is compared with those in the certificate; it is no name to ask for (RFC 6066, section 3).
    ...(isIP(tls.serverName) === 0 ? { servername: tls.serverName } : { host: tls.serverName }),
    minVersion: 'TLSv1.2',
    ...(tls.authority === null ? {} : { ca: tls.authority }),
  });
  return settled(secured, 'secureConnect', milliseconds);
}

async function settled<S extends Socket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  milliseconds: number,
): Promise<S> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(unavailable('The target does not answer.')), milliseconds);
  const failed = (cause: unknown): void => reject(new CountersignError('target.unavailable', { cause }));
  socket.once(event, resolve).once('error', failed);
  try {
    await promise;
    return socket;
  } catch (thrown) {
    socket.on('error', () => undefined);
    socket.destroy();
    throw thrown;
  } finally {
    clearTimeout(timer);
    socket.off(event, resolve).off('error', failed);
  }
}

function unavailable(reason: string): CountersignError {
  return new CountersignError('target.unavailable', { cause: new Error(reason) });
}
