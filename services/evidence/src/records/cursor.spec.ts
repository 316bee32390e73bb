import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatCursor, parseCursor } from './cursor.js';

const filter = { agent: 'agent-1', control: undefined };

describe('a cursor', () => {
  it('leads back to its place', () => {
    expect(parseCursor(formatCursor(filter, 'oldest', 41), filter, 'oldest')).toBe(41);
  });

  it('takes an absent filter for none', () => {
    expect(parseCursor(formatCursor(filter, 'oldest', 41), { agent: 'agent-1' }, 'oldest')).toBe(41);
  });

  it.each([
    ['another filter', { agent: 'agent-2' }, 'oldest'],
    ['one filter less', {}, 'oldest'],
    ['another order', filter, 'newest'],
  ] as const)('is refused for %s', (_, other, order) => {
    const cursor = formatCursor(filter, 'oldest', 41);
    expect(() => parseCursor(cursor, other, order)).toThrow(
      expect.objectContaining({ code: 'evidence.cursor_invalid' }),
    );
  });

  it('is refused whatever else it is', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json().map((json) => Buffer.from(json).toString('base64url')),
    );
    fc.assert(
      fc.property(anything, (text) => {
        expect(() => parseCursor(text, filter, 'oldest')).toThrow(
          expect.objectContaining({ code: 'evidence.cursor_invalid' }),
        );
      }),
    );
  });
});
