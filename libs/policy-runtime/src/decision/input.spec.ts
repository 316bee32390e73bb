import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { inputLimit, inputText, readInput } from './input.js';

const nested = (depth: number): unknown => (depth === 0 ? 1 : { deeper: nested(depth - 1) });
const invalid = expect.objectContaining({ code: 'request.invalid' });
const tooLarge = expect.objectContaining({ code: 'request.too_large' });

describe('an input', () => {
  it('is canonical text (RFC 8785)', () => {
    expect(inputText({ b: 1, a: { d: 'é', c: null } })).toBe('{"a":{"c":null,"d":"é"},"b":1}');
  });

  it.each([
    ['null', null],
    ['a list', []],
    ['text', 'text'],
    ['undefined', undefined],
    ['a whole number above 2^53', { time: 2 ** 53 }],
    ['a number that JSON lacks', { time: Number.NaN }],
    ['half of a surrogate pair', { name: '\ud800' }],
    ['such a half in a key', { '\udfff': 1 }],
    ['deep nesting', nested(17)],
    ['a bigint', { time: 1n }],
  ])('that is or holds %s is refused', (_name, value) => {
    expect(() => inputText(value)).toThrow(invalid);
  });

  it('above the limit is refused', () => {
    expect(() => inputText({ a: 'x'.repeat(inputLimit) })).toThrow(tooLarge);
    expect(() => readInput(new Uint8Array(inputLimit + 1))).toThrow(tooLarge);
    expect(inputText({ a: 'x'.repeat(inputLimit - 8) })).toHaveLength(inputLimit);
  });

  it.each([
    ['spaces', '{"a": 1}'],
    ['keys out of order', '{"b":1,"a":1}'],
    ['a key twice', '{"a":1,"a":1}'],
    ['another way to write a number', '{"a":1.0}'],
    ['an escape that is not needed', '{"a":"\\u0041"}'],
    ['a byte order mark', '\ufeff{}'],
    ['a cut', '{"a":'],
    ['a precise number', '{"a":9007199254740993}'],
  ])('sent with %s is refused', (_name, text) => {
    expect(() => readInput(Buffer.from(text))).toThrow(invalid);
  });

  it('sent in bytes that are no UTF-8 is refused', () => {
    expect(() => readInput(Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toThrow(invalid);
  });

  it('that is canonical is read as it was sent', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (value) => {
        const text = textOrNull(value);
        fc.pre(text !== null);
        expect(readInput(Buffer.from(text))).toBe(text);
      }),
    );
  });
});

/** Null where it holds a number that is refused. */
function textOrNull(value: unknown): string | null {
  try {
    return inputText(value);
  } catch {
    return null;
  }
}
