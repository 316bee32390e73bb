import type { Format } from './to-client.js';
import { cell, int16, int32, message, text, uint32 } from './writing.js';

/** Messages of a client to its server ("Message Formats", frontend messages). */
export function startup(parameters: Readonly<Record<string, string>>): Buffer {
  const fields = Object.entries(parameters).flatMap(([name, value]) => [text(name), text(value)]);
  const body = Buffer.concat([int32(3 << 16), ...fields, Buffer.from([0])]);
  return Buffer.concat([int32(body.length + 4), body]);
}

export const tlsRequest = Buffer.concat([int32(8), int32(80877103)]);

export function cancelRequest(processId: number, secret: Buffer): Buffer {
  return Buffer.concat([int32(12 + secret.length), int32(80877102), uint32(processId), secret]);
}

export function password(value: string): Buffer {
  return message('p', text(value));
}

export function saslInitial(mechanism: string, data: string): Buffer {
  return message('p', text(mechanism), cell(Buffer.from(data)));
}

export function saslResponse(data: string): Buffer {
  return message('p', Buffer.from(data));
}

/** Everything goes through the unnamed statement, so that one message can never hold two statements. */
export function parse(statement: string, parameterTypes: readonly number[]): Buffer {
  return message('P', text(''), text(statement), int16(parameterTypes.length), ...parameterTypes.map(uint32));
}

/** Format codes as in the protocol: none means text for all, one is for all, else each has its own. */
export interface Formats {
  readonly parameters: readonly Format[];
  readonly results: readonly Format[];
}

/** @param portal empty for the unnamed one, which lasts until the next Sync */
export function bind(parameters: readonly (Uint8Array | null)[], formats?: Formats, portal = ''): Buffer {
  const { parameters: given, results } = formats ?? { parameters: [], results: [] };
  return message(
    'B',
    text(portal),
    text(''),
    int16(given.length),
    ...given.map(int16),
    int16(parameters.length),
    ...parameters.map(cell),
    int16(results.length),
    ...results.map(int16),
  );
}

export const describeStatement = message('D', Buffer.from('S'), text(''));
export const describePortal = message('D', Buffer.from('P'), text(''));
export const execute = message('E', text(''), int32(0));
export const sync = message('S');
export const flush = message('H');

export function describeNamed(portal: string): Buffer {
  return message('D', Buffer.from('P'), text(portal));
}

/** @param maximumRows 0 for all that are left */
export function executeNamed(portal: string, maximumRows: number): Buffer {
  return message('E', text(portal), int32(maximumRows));
}

export function closePortal(portal: string): Buffer {
  return message('C', Buffer.from('P'), text(portal));
}
export const terminate = message('X');

export function copyFail(): Buffer {
  return message('f', text('COPY is not supported'));
}
