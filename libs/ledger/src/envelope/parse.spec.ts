import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { beginChain, sealEvent } from '../chain/index.js';
import { readCases } from '../fixtures/cases.store.js';
import { anyDraft, numbered } from '../fixtures/drafts.js';
import { maximumEventBytes, maximumEventDepth, parseEnvelope } from './index.js';

interface Change {
  readonly why: string;
  readonly set: Record<string, unknown>;
}

const cases = readCases<{ accepted: Change[]; refused: Change[] }>('envelopes.json');
const at = { id: '019a0000-0000-7000-8000-0000000000aa', time: '2026-01-01T00:00:00.000Z' };
const chain = beginChain('/policy/one', '019a0000-0000-7000-8000-000000000001');
const sealed = sealEvent(chain, numbered(1), at).event;
const bytes = (value: unknown): Buffer =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

function changed({ set }: Change): Buffer {
  const entries = Object.entries({ ...sealed.envelope, ...set }).filter(([, value]) => value !== null);
  return bytes(Object.fromEntries(entries));
}

describe('parseEnvelope', () => {
  it('reads what was sealed', () => {
    fc.assert(
      fc.property(anyDraft, (draft) => {
        const { event } = sealEvent(chain, draft, at);
        const envelope = parseEnvelope(event.value);
        expect(JSON.stringify(envelope)).toBe(JSON.stringify(event.envelope));
        expect(bytes(envelope).equals(event.value)).toBe(true);
      }),
    );
  });

  it.each(cases.accepted)('accepts $why', (change) => {
    expect(parseEnvelope(changed(change))).toMatchObject(change.set);
  });

  it.each(cases.refused)('refuses $why', (change) => {
    expect(() => parseEnvelope(changed(change))).toThrow(TypeError);
  });

  const text = Buffer.from(sealed.value).toString();
  it.each([
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['space before', ` ${text}`],
    ['a byte order mark', `\ufeff${text}`],
    ['space between members', text.replace(',"id"', ', "id"')],
    ['a member that comes twice', text.replace('{"specversion"', '{"seq":"7","specversion"')],
    [
      'a member of data that comes twice',
      text.replace('"bundleDigest"', '"policyDigest":"x","bundleDigest"'),
    ],
    ['an escape that need not be', text.replace('"system"', '"s\\u0079stem"')],
    ['what follows', `${text}{}`],
    ['a truncated event', text.slice(0, -1)],
  ])('refuses %s', (_, spelled) => {
    expect(() => parseEnvelope(bytes(spelled))).toThrow(TypeError);
  });

  it('refuses bytes that are not UTF-8', () => {
    const broken = Buffer.from(sealed.value);
    broken[broken.indexOf('sha256')] = 0xff;
    expect(() => parseEnvelope(broken)).toThrow(TypeError);
  });

  it('accepts the longest event and refuses one byte more', () => {
    const pad = (length: number) => ({ ...sealed.envelope, data: { pad: 'x'.repeat(length) } });
    const room = maximumEventBytes - bytes(pad(0)).length;
    expect(parseEnvelope(bytes(pad(room))).seq).toBe('0');
    expect(() => parseEnvelope(bytes(pad(room + 1)))).toThrow('larger');
  });

  it('refuses nesting that would overflow the stack of whoever reads on', () => {
    const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    const withDepth = (depth: number) =>
      bytes(text.replace(/"data":.*$/, `"data":{"deep":${nested(depth)}}}`));
    expect(parseEnvelope(withDepth(maximumEventDepth - 2)).seq).toBe('0');
    expect(() => parseEnvelope(withDepth(maximumEventDepth - 1))).toThrow(TypeError);
    expect(() => parseEnvelope(withDepth(30_000))).toThrow(TypeError);
  });

  it('throws nothing but TypeErrors, and never tells values', () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array)),
      fc.json({ maxDepth: 5 }).map(bytes),
      fc
        .tuple(fc.nat({ max: sealed.value.length - 1 }), fc.nat({ max: 255 }))
        .map(([index, byte]) => Buffer.from(sealed.value).fill(byte, index, index + 1)),
    );
    fc.assert(
      fc.property(hostile, (value) => {
        try {
          parseEnvelope(value);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
        }
      }),
      { numRuns: 2_000 },
    );
    const secret = changed({ why: '', set: { mode: 'hunter2', origin: 'hunter2', data: 'hunter2' } });
    expect(() => parseEnvelope(secret)).toThrow(/^((?!hunter2).)*$/);
  });
});
