import { readFileSync } from 'node:fs';
import { sha256 } from '@countersign/transparency';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Aligner, type Discrepancy } from './aligner.js';
import { HashList } from './hash-list.js';

interface AlignmentCase {
  readonly name: string;
  readonly expected: string;
  readonly shown: string;
  readonly found: readonly string[];
}
const cases = readFileSync(new URL('../../cases/alignments.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as AlignmentCase);

const hashOf = (letter: string) => sha256(new TextEncoder().encode(letter));

function align(expected: readonly string[], shown: readonly string[]) {
  const list = new HashList();
  for (const letter of expected) list.push(hashOf(letter));
  const aligner = new Aligner<string>(list);
  for (const letter of shown) aligner.offer(hashOf(letter), () => letter);
  return aligner.finish();
}

function phrase(found: Discrepancy<string>): string {
  if (found.kind === 'added') return `added ${found.item}`;
  if (found.kind === 'missing') return `missing ${found.from} to ${found.to}`;
  return `${found.kind} ${found.item} from ${found.from}`;
}

describe('the aligner', () => {
  it.each(cases)('finds: $name', ({ expected, shown, found }) => {
    expect(align([...expected], [...shown]).discrepancies.map(phrase)).toEqual(found);
  });

  it('finds nothing exactly where nothing differs', () => {
    const letters = fc.array(fc.constantFrom(...'abcdefghX'), { maxLength: 12 });
    fc.assert(
      fc.property(fc.nat(8), letters, (length, shown) => {
        const expected = [...'abcdefgh'].slice(0, length);
        const { discrepancies, complete } = align(expected, shown);
        expect(complete).toBe(true);
        expect(discrepancies.length === 0).toBe(expected.join('') === shown.join(''));
      }),
      { numRuns: 2000 },
    );
  });

  it('gives up where nothing fits, in bounded time', () => {
    const expected = Array.from({ length: 5000 }, (_, index) => `e${index}`);
    const shown = Array.from({ length: 5000 }, (_, index) => `s${index}`);
    expect(align(expected, shown).complete).toBe(false);
    const { discrepancies, complete } = align(expected, expected.toReversed());
    expect(complete).toBe(false);
    expect(discrepancies.length).toBeGreaterThan(0);
  });
});

describe('the list of hashes', () => {
  it('keeps what was put in', () => {
    const list = new HashList();
    for (let index = 0; index < 3000; index += 1) list.push(hashOf(String(index)));
    expect(list.length).toBe(3000);
    expect(list.has(2999, hashOf('2999'))).toBe(true);
    expect(list.has(2999, hashOf('2998'))).toBe(false);
    expect(list.at(3000)).toBeUndefined();
    expect(list.places().size).toBe(3000);
  });
});
