import { Cursor } from './cursor.js';
import { malformed } from './framing.js';

/** Which session is to stop what it runs: numbers that it was told when it began. */
export interface CancelRequest {
  readonly processId: number;
  readonly secret: Buffer;
}

/** What a client may send first ("Message Formats": StartupMessage, SSLRequest, GSSENCRequest, CancelRequest). */
export type FirstPacket =
  | { readonly kind: 'tls' }
  | { readonly kind: 'gss' }
  | ({ readonly kind: 'cancel' } & CancelRequest)
  | {
      readonly kind: 'startup';
      readonly minor: number;
      readonly parameters: ReadonlyMap<string, string>;
    };

const CANCEL = 80877102;
const TLS = 80877103;
const GSS = 80877104;
const MAJOR = 3;
const PARAMETER_LIMIT = 64;

/** Largest first packet, as in PostgreSQL (MAX_STARTUP_PACKET_LENGTH). */
export const FIRST_PACKET_LIMIT = 10_000;

export function decodeFirstPacket(body: Buffer): FirstPacket {
  const cursor = new Cursor(body);
  const code = cursor.int32();
  if (code === TLS || code === GSS) {
    cursor.end();
    return { kind: code === TLS ? 'tls' : 'gss' };
  }
  if (code === CANCEL) {
    if (cursor.left < 8 || cursor.left > 260) throw malformed('A cancel request has a wrong length.');
    return { kind: 'cancel', processId: cursor.uint32(), secret: cursor.bytes(cursor.left) };
  }
  if (code >>> 16 !== MAJOR) throw malformed('Only protocol 3 is spoken here.');
  return { kind: 'startup', minor: code & 0xffff, parameters: decodeParameters(cursor) };
}

function decodeParameters(cursor: Cursor): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (;;) {
    const name = cursor.name();
    if (name === '') break;
    if (parameters.has(name)) throw malformed('A startup parameter is given twice.');
    if (parameters.size === PARAMETER_LIMIT) throw malformed('There are too many startup parameters.');
    parameters.set(name, cursor.name());
  }
  cursor.end();
  return parameters;
}
