import { CountersignError } from '@countersign/errors';
import { type Dispatcher, Pool } from 'undici';
import type { HttpTarget } from '../../targets/index.js';

export interface UpstreamLimits {
  /** Milliseconds to connect. */
  readonly connectMilliseconds: number;
  /** Milliseconds that the target may be silent: before its answer, and between two parts of it. */
  readonly silenceMilliseconds: number;
  readonly connections: number;
}

/** A request as it leaves: what was decided, to the byte. */
export interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
  /** The action that it is: the target's own log may name it. */
  readonly action: string;
  readonly signal: AbortSignal;
}

export interface Incoming {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Dispatcher.ResponseData['body'];
}

/** Connections to one target, kept open and used by one request at a time each. */
export class Upstream {
  readonly #target: HttpTarget;
  readonly #pool: Pool;
  #credential: { readonly value: string; readonly until: number } | null = null;

  constructor(target: HttpTarget, limits: UpstreamLimits) {
    const { tls, host, port } = target;
    const name = host.includes(':') ? `[${host}]` : host;
    this.#target = target;
    this.#pool = new Pool(`${tls === null ? 'http' : 'https'}://${name}:${port}`, {
      connections: limits.connections,
      pipelining: 1,
      allowH2: false,
      headersTimeout: limits.silenceMilliseconds,
      bodyTimeout: limits.silenceMilliseconds,
      connect: {
        timeout: limits.connectMilliseconds,
        ...(tls === null
          ? {}
          : { servername: tls.serverName, ...(tls.authority === null ? {} : { ca: tls.authority }) }),
      },
    });
  }

  /** Host and port as the target's Host header names them. */
  get authority(): string {
    const { host, port, tls } = this.#target;
    const name = host.includes(':') ? `[${host}]` : host;
    return port === (tls === null ? 80 : 443) ? name : `${name}:${port}`;
  }

  /**
   * Sends a request once, never again by itself.
   * @throws target.unavailable where nothing was sent, target.connection_lost where that is not known
   */
  async send(outgoing: Outgoing): Promise<Incoming> {
    const { method, path, headers, body, action, signal } = outgoing;
    const sent: string[] = ['countersign-action', action];
    for (const [name, value] of headers) sent.push(name, value);
    this.#addCredential(sent);
    try {
      const response = await this.#pool.request({
        method,
        path,
        headers: sent,
        body: body.length === 0 ? null : body,
        signal,
      });
      return { status: response.statusCode, headers: response.headers, body: response.body };
    } catch (cause) {
      throw new CountersignError(isUnsent(cause) ? 'target.unavailable' : 'target.connection_lost', {
        cause,
      });
    }
  }

  /** The credential is read anew once a second, so that a rotated one is seen. Throws target.unavailable. */
  #addCredential(sent: string[]): void {
    const { credential } = this.#target;
    if (credential === null) return;
    const now = performance.now();
    if (this.#credential === null || this.#credential.until <= now) {
      try {
        this.#credential = { value: credential.value(), until: now + CREDENTIAL_MILLISECONDS };
      } catch (cause) {
        throw new CountersignError('target.unavailable', { cause });
      }
    }
    sent.push(credential.header, this.#credential.value);
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

const CREDENTIAL_MILLISECONDS = 1000;

/** Whether it is certain that no byte of the request reached the target. */
function isUnsent(cause: unknown): boolean {
  if (typeof cause !== 'object' || cause === null) return false;
  const { code = '', syscall } = cause as Partial<NodeJS.ErrnoException>;
  // A handshake that failed for the certificate has no such call: its codes are those of OpenSSL.
  return (
    code === 'UND_ERR_CONNECT_TIMEOUT' ||
    syscall === 'connect' ||
    syscall === 'getaddrinfo' ||
    /^ERR_TLS|^ERR_SSL|CERT|SIGNATURE/.test(code)
  );
}
