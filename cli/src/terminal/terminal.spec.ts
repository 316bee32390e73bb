import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { box, escapeText, facts, lookalikes, table } from './index.js';

const restored = (text: string) =>
  text.replaceAll(/⟦([0-9A-F]+)⟧/g, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));

describe('text of others on a terminal', () => {
  it.each([
    ['colour', '\u001b[31mred', '⟦001B⟧[31mred'],
    ['carriage return', 'DROP\rSELECT', 'DROP⟦000D⟧SELECT'],
    ['right to left', 'a\u202Eb', 'a⟦202E⟧b'],
    ['isolate', 'a\u2066b', 'a⟦2066⟧b'],
    ['zero width', 'pass\u200Bword', 'pass⟦200B⟧word'],
    ['no-break space', 'a\u00A0b', 'a⟦00A0⟧b'],
    ['line separator', 'a\u2028b', 'a⟦2028⟧b'],
    ['C1 control', 'a\u009Bb', 'a⟦009B⟧b'],
    ['combining mark', 'a\u0301', 'a⟦0301⟧'],
    ['tag character', 'a\u{E0041}', 'a⟦E0041⟧'],
    ['its own bracket', '⟦001B⟧', '⟦27E6⟧001B⟦27E7⟧'],
    ['plain', "SELECT 'Zoë' -- ok", "SELECT 'Zoë' -- ok"],
  ])('escapes %s', (_, text, shown) => {
    expect(escapeText(text)).toBe(shown);
  });

  it('loses nothing and shows no two texts alike', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const shown = escapeText(text);
        expect(restored(shown)).toBe(text);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{M}]/u);
      }),
    );
  });

  it('names characters that look like others', () => {
    expect(lookalikes('SELECT аdmin')).toEqual(['а']);
    expect(lookalikes('SELECT 1\n')).toEqual([]);
  });

  it('keeps every line of a text inside its frame and within the terminal', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 400 }),
        fc.integer({ min: 40, max: 120 }),
        (text, width) => {
          const lines = box('title', text, width).split('\n');
          expect(lines[0]?.startsWith('┌')).toBe(true);
          expect(lines.at(-1)?.startsWith('└')).toBe(true);
          for (const line of lines.slice(1, -1)) expect(line).toMatch(/^│ +\d* [│┆] /);
          for (const line of lines) {
            const cells = [...line].reduce((sum, c) => sum + (c <= '~' || '│┆┌└─'.includes(c) ? 1 : 2), 0);
            expect(cells).toBeLessThanOrEqual(width);
          }
        },
      ),
    );
  });

  it('aligns tables and facts', () => {
    expect(table(['A', 'B'], [['xxx', 'y\u001b']])).toBe('A    B\nxxx  y⟦001B⟧');
    expect(
      facts([
        ['who', 'a'],
        ['target', 'b'],
      ]),
    ).toBe('who     a\ntarget  b');
  });
});
