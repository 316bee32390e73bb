import type { Operation } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import type { HttpTarget } from './http-target.js';

/** An HTTP target as the configuration has it. */
export interface ConfiguredHttpTarget {
  readonly name: string;
  readonly url: string;
  readonly credential?:
    | { readonly header: string; readonly scheme: string; readonly secret: { reveal(): string } }
    | undefined;
  readonly tls?:
    | { readonly authorityFile?: string | undefined; readonly serverName?: string | undefined }
    | undefined;
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
  readonly operations: readonly Operation[];
}

/**
 * HTTP targets by name.
 * @param readFile gives the text of a file that the configuration names
 * @throws CountersignError config.invalid for a name given twice, or bytes that would travel in clear
 */
export function httpTargetsOf(
  configured: readonly ConfiguredHttpTarget[],
  readFile: (file: string) => string,
  isPrivate: (host: string) => boolean,
): ReadonlyMap<string, HttpTarget> {
  const targets = new Map<string, HttpTarget>();
  for (const target of configured) {
    const { name } = target;
    if (targets.has(name)) throw invalid(`The target ${name} is configured twice.`);
    targets.set(name, httpTargetOf(target, readFile, isPrivate));
  }
  return targets;
}

function httpTargetOf(
  target: ConfiguredHttpTarget,
  readFile: (file: string) => string,
  isPrivate: (host: string) => boolean,
): HttpTarget {
  const { name, credential, tls } = target;
  const url = new URL(target.url);
  const secure = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!secure && tls !== undefined)
    throw invalid(`The target ${name} has settings for TLS, but no https address.`);
  if (!secure && !isPrivate(host)) throw invalid(`The target ${name} needs TLS.`);
  return {
    name,
    host,
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    basePath: url.pathname.replace(/\/+$/, ''),
    tls: secure
      ? {
          authority: tls?.authorityFile === undefined ? null : readFile(tls.authorityFile),
          serverName: tls?.serverName ?? host,
        }
      : null,
    credential: credential === undefined ? null : credentialOf(credential),
    operations: target.operations,
    requestHeaders: target.requestHeaders,
    responseHeaders: target.responseHeaders,
  };
}

function credentialOf(credential: NonNullable<ConfiguredHttpTarget['credential']>): HttpTarget['credential'] {
  const { header, scheme, secret } = credential;
  return {
    header,
    value: () => (scheme === '' ? secret.reveal() : `${scheme} ${secret.reveal()}`),
  };
}

function invalid(detail: string): CountersignError {
  return new CountersignError('config.invalid', { detail });
}
