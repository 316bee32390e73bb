import { CountersignError } from '@countersign/errors';

export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** The kernel's limit on the path of a Unix socket (sockaddr_un, 108 bytes with its NUL; 104 on macOS). */
const longestPath = 103;

const invalid = (detail: string) => new CountersignError('config.invalid', { detail });

/** Reads `unix:/path` or `host:port`. Throws config.invalid. */
export function parseAddress(text: string): Address {
  const unix = /^unix:(?:\/\/)?(\/.+)$/.exec(text)?.[1];
  if (unix !== undefined) {
    if (Buffer.byteLength(unix) > longestPath)
      throw invalid(`The socket's path is longer than ${longestPath} bytes: ${unix}`);
    return { kind: 'unix', path: unix };
  }
  const tcp = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text);
  const host = tcp?.[1] ?? tcp?.[2];
  const port = Number(tcp?.[3]);
  if (host === undefined || port > 65_535) throw invalid(`Expected unix:/path or host:port as address.`);
  return { kind: 'tcp', host, port };
}

/** What grpc-js wants to be told. */
export function grpcTarget(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/** Whether only processes of this machine can be at the other end. */
export function isLocal(address: Address): boolean {
  if (address.kind === 'unix') return true;
  return address.host === 'localhost' || address.host === '::1' || /^127(\.\d{1,3}){3}$/.test(address.host);
}

/** Throws config.invalid unless the address is local or guarded by TLS: calls carry what nobody else may read or alter. */
export function requireGuard(address: Address, guarded: boolean): void {
  if (!guarded && !isLocal(address)) {
    throw invalid(`Mutual TLS is required at ${grpcTarget(address)}, since it is not local.`);
  }
}
