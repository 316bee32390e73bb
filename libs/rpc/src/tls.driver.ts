import { readFileSync } from 'node:fs';
import type { PeerCertificate } from 'node:tls';
import { checkServerIdentity } from 'node:tls';
import { CountersignError } from '@countersign/errors';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import { peerOf } from './peer.js';

/** PEM files of mutual TLS. */
export interface TlsFiles {
  /** The authority that the other side's certificate must descend from. */
  readonly authorityFile: string;
  /** Own certificate chain. */
  readonly certificateFile: string;
  readonly privateKeyFile: string;
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new CountersignError('config.invalid', { detail: `The file ${file} cannot be read.`, cause });
  }
}

/** Credentials that require and verify a client's certificate. Throws config.invalid. */
export function serverCredentials(tls: TlsFiles | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const [authority, chain, key] = [tls.authorityFile, tls.certificateFile, tls.privateKeyFile].map(read);
  if (authority === undefined || chain === undefined || key === undefined) throw new TypeError('unreachable');
  try {
    return ServerCredentials.createSsl(authority, [{ cert_chain: chain, private_key: key }], true);
  } catch (cause) {
    throw new CountersignError('config.invalid', {
      detail: 'Certificate and key of TLS cannot be used.',
      cause,
    });
  }
}

/**
 * Whether a verified certificate is that of the service that is called: by its countersign:// name where it has one, so that
 * no other service of the deployment can pose as it; else by host name (RFC 6125).
 */
function identityCheck(service: string | undefined) {
  return (host: string, certificate: PeerCertificate): Error | undefined => {
    const peer = peerOf(certificate.subjectaltname);
    if (peer === undefined || service === undefined) return checkServerIdentity(host, certificate);
    return peer.startsWith(`${service}/`)
      ? undefined
      : new Error(`the certificate is not of the service ${service}`);
  };
}

/** Credentials of a caller of `service`. Throws config.invalid. */
export function channelCredentials(
  tls: TlsFiles | undefined,
  service: string | undefined,
): ChannelCredentials {
  if (tls === undefined) return ChannelCredentials.createInsecure();
  try {
    return ChannelCredentials.createSsl(
      read(tls.authorityFile),
      read(tls.privateKeyFile),
      read(tls.certificateFile),
      {
        checkServerIdentity: identityCheck(service),
      },
    );
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause;
    throw new CountersignError('config.invalid', {
      detail: 'Certificate and key of TLS cannot be used.',
      cause,
    });
  }
}
