import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Content, openContent, type SealedContent, sealContent } from './content.js';

const kek = Buffer.alloc(32, 1);
const randomness = (seed: number) => ({
  key: Buffer.alloc(32, seed),
  keyNonce: Buffer.alloc(12, seed + 1),
  contentNonce: Buffer.alloc(12, seed + 2),
});
const content: Content = {
  statement: "DELETE FROM t WHERE name = 'canary-5d1f'",
  parameters: ['Y2FuYXJ5', null],
};
const seal = (approval = 'a1') => sealContent(approval, content, kek, randomness(7));

const flipped = (bytes: Buffer, at: number) => {
  const copy = Buffer.from(bytes);
  copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ 1;
  return copy;
};

describe('held statements', () => {
  it('opens what was sealed', () => {
    expect(openContent('a1', seal(), [kek])).toEqual(content);
  });

  it('opens under an earlier key', () => {
    expect(openContent('a1', seal(), [Buffer.alloc(32, 9), kek])).toEqual(content);
  });

  it('holds nothing in clear', () => {
    const { wrappedKey, sealed } = seal();
    for (const part of [wrappedKey, sealed]) expect(part.includes('canary')).toBe(false);
    expect(wrappedKey.includes(randomness(7).key)).toBe(false);
  });

  it.each([
    ['under another key', (sealed: SealedContent) => openContent('a1', sealed, [Buffer.alloc(32, 9)])],
    ['for another approval', (sealed: SealedContent) => openContent('a2', sealed, [kek])],
    [
      'without its key',
      ({ sealed }: SealedContent) => openContent('a1', { sealed, wrappedKey: Buffer.alloc(0) }, [kek]),
    ],
    [
      'cut short',
      ({ sealed, wrappedKey }: SealedContent) =>
        openContent('a1', { wrappedKey, sealed: sealed.subarray(0, 20) }, [kek]),
    ],
  ])('does not open %s', (_, open) => {
    expect(open(seal())).toBeNull();
  });

  it('does not open with any bit changed', () => {
    fc.assert(
      fc.property(fc.nat(), fc.boolean(), (at, inKey) => {
        const { wrappedKey, sealed } = seal();
        const changed = inKey
          ? { wrappedKey: flipped(wrappedKey, at), sealed }
          : { wrappedKey, sealed: flipped(sealed, at) };
        expect(openContent('a1', changed, [kek])).toBeNull();
      }),
    );
  });
});
