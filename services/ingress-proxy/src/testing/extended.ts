import type { RawClient, RawMessage } from './raw-client.client.js';

export const int16 = (...values: readonly number[]): Buffer => {
  const buffer = Buffer.alloc(2 * values.length);
  for (const [index, value] of values.entries()) buffer.writeInt16BE(value, 2 * index);
  return buffer;
};

export const int32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
};

const cell = (value: Buffer | null): Buffer =>
  value === null ? int32(-1) : Buffer.concat([int32(value.length), value]);

export interface Call {
  readonly text: string;
  readonly types?: readonly number[];
  readonly formats?: readonly number[];
  readonly parameters?: readonly (Buffer | null)[];
  readonly results?: readonly number[];
  readonly portal?: string;
  readonly maximumRows?: number;
}

/** Parse and Bind, as drivers send them that use all of the extended protocol. */
export function bound(client: RawClient, call: Call): void {
  const { types = [], formats = [], parameters = [], results = [], portal = '' } = call;
  client.message('P', '', call.text, int16(types.length), ...types.map(int32));
  client.message(
    'B',
    portal,
    '',
    int16(formats.length, ...formats, parameters.length),
    ...parameters.map(cell),
    int16(results.length, ...results),
  );
}

/** Parse, Bind, Describe, Execute and Sync. */
export async function called(client: RawClient, call: Call): Promise<readonly RawMessage[]> {
  bound(client, call);
  client.message('D', Buffer.from('P'), call.portal ?? '');
  executed(client, call.portal, call.maximumRows);
  client.message('S');
  return client.until('Z');
}

export function executed(client: RawClient, portal = '', maximumRows = 0): void {
  client.message('E', portal, int32(maximumRows));
}

/** Type and format of each column of a RowDescription. */
export function columnsOf(messages: readonly RawMessage[]): readonly (readonly [number, number])[] {
  const body = messages.find(({ type }) => type === 'T')?.body ?? Buffer.alloc(2);
  let at = 2;
  return Array.from({ length: body.readInt16BE(0) }, () => {
    at = body.indexOf(0, at) + 1;
    const column = [body.readInt32BE(at + 6), body.readInt16BE(at + 16)] as const;
    at += 18;
    return column;
  });
}

/** Values of all rows. */
export function cellsOf(messages: readonly RawMessage[]): readonly (readonly (Buffer | null)[])[] {
  return messages
    .filter(({ type }) => type === 'D')
    .map(({ body }) => {
      let at = 2;
      return Array.from({ length: body.readInt16BE(0) }, () => {
        const length = body.readInt32BE(at);
        at += 4 + Math.max(length, 0);
        return length < 0 ? null : body.subarray(at - length, at);
      });
    });
}

/** The letters of messages, runs of the same as one. */
export function lettersOf(messages: readonly RawMessage[]): string {
  return messages
    .map(({ type }) => type)
    .join('')
    .replace(/(.)\1+/g, '$1');
}
