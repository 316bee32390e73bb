import { canonicalJson, type Operation, type RequestShape } from '@countersign/contracts';
import type { ErrorCode } from '@countersign/errors';
import type { Request } from '../../../gate/index.js';
import { type Headers, mediaTypeOf, readHeaders } from './headers.js';
import { methods, type Routes } from './operations.js';
import { type Ambiguity, readTarget } from './target.js';

/** What is known of a target when requests for it are prepared. */
export interface Destination {
  readonly routes: Routes;
  /** Host and port as its own Host header names them. */
  readonly authority: string;
  /** Goes before the path; without a slash at its end. */
  readonly basePath: string;
  /** Lower-case names of headers that it gets to see. */
  readonly forwarded: ReadonlySet<string>;
}

/** What came over the wire, without its body. */
export interface Received {
  readonly method: string;
  readonly httpVersion: string;
  /** Without the name of the target in front. */
  readonly target: string;
  readonly rawHeaders: readonly string[];
}

/** A request that is understood: it becomes an action once its body is there. */
export interface Prepared {
  readonly method: string;
  /** With the target's base path. */
  readonly path: string;
  readonly operation: Operation | null;
  readonly query: readonly string[];
  readonly headers: Headers;
  /** What the target gets, but for framing and credential: sorted by name. */
  readonly forwarded: readonly (readonly [string, string])[];
}

/** Why a request is no action that could be analysed. */
export interface Unprepared {
  readonly code: ErrorCode;
  readonly detail: string;
}

/** Understands a request's head, or says why it is refused. Nothing of what the agent sent is repeated. */
export function prepare(received: Received, destination: Destination): Prepared | Unprepared {
  const { method } = received;
  if (received.httpVersion !== '1.1') return unsupported('Only HTTP/1.1 is spoken here.');
  if (!(methods as readonly string[]).includes(method))
    return unsupported('The method is not one of those that are taken.');
  const headers = readHeaders(received.rawHeaders, destination.forwarded);
  if (isAmbiguous(headers)) return ambiguous(headers);
  if (headers.has('upgrade')) return unsupported('The protocol cannot be changed.');
  const target = readTarget(received.target);
  if (isAmbiguous(target)) return ambiguous(target);
  const operation = destination.routes.match(method, target.segments);
  return {
    method,
    path: `${destination.basePath}${target.text}`,
    operation,
    query: target.query,
    headers,
    forwarded: forwardedOf(headers, destination, operation),
  };
}

function forwardedOf(
  headers: Headers,
  destination: Destination,
  operation: Operation | null,
): readonly (readonly [string, string])[] {
  const chosen = new Map<string, string>();
  for (const name of destination.forwarded) {
    const value = headers.get(name);
    if (value !== undefined) chosen.set(name, value);
  }
  // What is to be masked has to be readable: JSON, and not compressed.
  if (operation !== null && Object.keys(operation.labels).length > 0)
    chosen.set('accept', 'application/json');
  chosen.set('accept-encoding', 'identity');
  chosen.set('host', destination.authority);
  return [...chosen].sort(([left], [right]) => (left < right ? -1 : 1));
}

/** The action that a prepared request is. Equal heads and bodies are the same action. */
export function requestOf(prepared: Prepared, body: Uint8Array): Request {
  const { method, path, operation, query, headers, forwarded } = prepared;
  const shape: RequestShape = {
    version: 1,
    method,
    operation: operation?.operation ?? null,
    query,
    body: body.length === 0 ? null : mediaTypeOf(headers.get('content-type') ?? 'application/octet-stream'),
  };
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...forwarded.map(([name, value]) => `${name}: ${value}`),
    ...(body.length === 0 ? [] : [`content-length: ${body.length}`]),
  ];
  const head = `${lines.join('\r\n')}\r\n\r\n`;
  return { kind: 'request', text: canonicalJson(shape), head, body, purpose: 'run' };
}

function isAmbiguous(read: object): read is Ambiguity {
  return 'ambiguity' in read;
}

function ambiguous({ ambiguity }: Ambiguity): Unprepared {
  return { code: 'http.ambiguous', detail: ambiguity };
}

function unsupported(detail: string): Unprepared {
  return { code: 'protocol.unsupported', detail };
}
