import { createHash } from 'node:crypto';

/** Whether a host is this machine and no other. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** Whether a connection came from this machine. */
export function isLoopbackPeer(address: string | undefined): boolean {
  return address !== undefined && isLoopback(address.replace(/^::ffff:/, ''));
}

/** A name for a peer that may be kept for a while: never its address in clear. */
export function peerName(address: string | undefined): string {
  return createHash('sha256')
    .update(address ?? 'unix')
    .digest('base64url')
    .slice(0, 22);
}
