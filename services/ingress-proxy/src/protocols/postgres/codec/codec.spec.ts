import { CountersignError } from '@countersign/errors';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  authenticationRules,
  decodeDataRow,
  decodeFirstPacket,
  decodeFrontend,
  decodeReport,
  decodeRowDescription,
  FIRST_PACKET_LIMIT,
  type Frame,
  FrameParser,
  type FramingRules,
  type FrontendMessage,
  isDropped,
  sessionRules,
  targetRules,
  toClient,
  toTarget,
} from './index.js';
import { message, text } from './writing.js';

const MAXIMUM = 4096;

/** All that a parser makes of chunks: messages, and the code of the error that ended it. */
function parseAll(
  chunks: readonly Buffer[],
  rules: FramingRules = sessionRules(MAXIMUM),
): { readonly messages: readonly FrontendMessage[]; readonly error: string | null } {
  const parser = new FrameParser({ rules, untyped: false, untypedMaximum: 0 });
  const messages: FrontendMessage[] = [];
  try {
    for (const chunk of chunks) {
      parser.push(chunk);
      for (let frame = parser.next(); frame !== null; frame = parser.next()) {
        messages.push(decodeFrontend(frame, MAXIMUM));
      }
    }
    return { messages, error: null };
  } catch (thrown) {
    if (!(thrown instanceof CountersignError)) throw thrown;
    return { messages, error: thrown.code };
  }
}

function chunked(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort(
    (left, right) => left - right,
  );
  return [...places, bytes.length].map((end, index) => bytes.subarray(places[index - 1] ?? 0, end));
}

/** Bytes of a message without NULs, as a name or a text may have them. */
const word = fc.string({ maxLength: 30 }).map((value) => value.replaceAll('\0', ''));
const value = fc.option(
  word.map((held) => Buffer.from(held)),
  { nil: null },
);

const clientMessage = fc.oneof(
  word.map((held) => message('Q', text(held))),
  fc
    .tuple(word, word)
    .map(([name, held]) => message('P', text(name), text(held), Buffer.from([0, 1, 0, 0, 0, 23]))),
  fc.array(value, { maxLength: 5 }).map((values) => toTarget.bind(values)),
  fc.constantFrom(
    toTarget.describePortal,
    toTarget.describeStatement,
    toTarget.execute,
    toTarget.sync,
    message('H'),
  ),
  fc.constant(message('Q', text('x'.repeat(MAXIMUM * 3)))),
);

const cuts = fc.array(fc.nat({ max: 100_000 }), { maxLength: 12 });

describe('the framing of what clients send', () => {
  it('gives the same messages for any chunking', () => {
    fc.assert(
      fc.property(fc.array(clientMessage, { maxLength: 8 }), cuts, (messages, places) => {
        const bytes = Buffer.concat(messages);
        const whole = parseAll([bytes]);
        expect(whole.error).toBeNull();
        expect(whole.messages).toHaveLength(messages.length);
        expect(parseAll(chunked(bytes, places))).toEqual(whole);
      }),
    );
  });

  it('gives the same messages and the same error for garbage, whatever the chunking', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(clientMessage, fc.uint8Array({ maxLength: 40 })), { maxLength: 6 }),
        cuts,
        (parts, places) => {
          const bytes = Buffer.concat(parts);
          expect(parseAll(chunked(bytes, places))).toEqual(parseAll([bytes]));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('keeps nothing of a message that is too large, and says how large it was', () => {
    const parser = new FrameParser({ rules: sessionRules(MAXIMUM), untyped: false, untypedMaximum: 0 });
    const bytes = message('Q', text('x'.repeat(1_000_000)));
    let dropped = 0;
    for (let at = 0; at < bytes.length; at += 10_000) {
      parser.push(bytes.subarray(at, at + 10_000));
      const frame = parser.next();
      expect(parser.buffered).toBe(0);
      if (frame !== null && isDropped(frame)) dropped = frame.dropped.length;
    }
    expect(dropped).toBe(1_000_001);
  });

  it('waits for the rest of what is truncated', () => {
    const bytes = message('P', text('name'), text('SELECT 1'), Buffer.alloc(2));
    for (let length = 0; length < bytes.length; length += 1) {
      expect(parseAll([bytes.subarray(0, length)])).toEqual({ messages: [], error: null });
    }
  });

  it('takes nothing but a password before authentication', () => {
    for (const type of ['Q', 'P', 'S', 'E', 'd']) {
      expect(parseAll([message(type, text('x'))], authenticationRules).error).toBe('protocol.malformed');
    }
    expect(parseAll([message('p', Buffer.alloc(20_000))], authenticationRules).error).toBe(
      'protocol.too_large',
    );
  });
});

describe('first packets', () => {
  it('are read, or refused with a code', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 200 }), (bytes) => {
        try {
          decodeFirstPacket(Buffer.from(bytes));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(CountersignError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('are read as they are written', () => {
    const packet = toTarget.startup({ user: 'agent', database: 'shop' });
    const parser = new FrameParser({
      rules: sessionRules(1),
      untyped: true,
      untypedMaximum: FIRST_PACKET_LIMIT,
    });
    parser.push(packet);
    const frame = parser.next() as Frame;
    expect(decodeFirstPacket(frame.body)).toEqual({
      kind: 'startup',
      minor: 0,
      parameters: new Map([
        ['user', 'agent'],
        ['database', 'shop'],
      ]),
    });
  });
});

describe('what targets send', () => {
  const one = (bytes: Buffer): Frame => {
    const parser = new FrameParser({ rules: targetRules(1_000_000), untyped: false, untypedMaximum: 0 });
    parser.push(bytes);
    return parser.next() as Frame;
  };

  it('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 10 }), (cells) => {
        expect(decodeDataRow(one(toClient.dataRow(cells)))).toEqual(cells);
      }),
    );
    const column = { name: 'a', table: 1, attribute: 2, type: 23, typeLength: 4, modifier: -1 };
    const columns = [
      { ...column, format: 0 },
      { ...column, format: 1 },
    ] as const;
    expect(decodeRowDescription(one(toClient.rowDescription(columns)))).toEqual(columns);
  });

  it('is never read beyond its end', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('D', 'T', 'E', 'S', 'C', 'R', 'Z'),
        fc.uint8Array({ maxLength: 60 }),
        (type, body) => {
          const frame = one(message(type, Buffer.from(body)));
          for (const decode of [decodeDataRow, decodeRowDescription, decodeReport]) {
            try {
              decode(frame);
            } catch (thrown) {
              expect(thrown).toBeInstanceOf(CountersignError);
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('gives nothing of an error but its code and names', () => {
    const report = message(
      'E',
      ...[
        'SERROR',
        'VERROR',
        'C23505',
        'Msecret',
        'Dsecret',
        'Hsecret',
        'sshop',
        'tcustomers',
        'nkey',
        'Wsecret',
      ].map(text),
      Buffer.from([0]),
    );
    expect(decodeReport(one(report))).toEqual({
      severity: 'ERROR',
      sqlstate: '23505',
      schema: 'shop',
      table: 'customers',
      column: null,
    });
  });
});
