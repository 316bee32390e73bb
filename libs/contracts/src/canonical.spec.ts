import { describe, expect, it } from '@jest/globals';
import { canonicalJson, commitmentOf, digestOf, digestOfJson } from './canonical.js';

describe('canonical JSON (RFC 8785)', () => {
  it('sorts members and writes numbers as section 3.2.3 shows', () => {
    const value = {
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 1e-27],
      string: '€$\u000f\nA\'B"\\\\"/',
      literals: [null, true, false],
    };
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('does not depend on the order in which members were set', () => {
    expect(digestOfJson({ a: 1, b: { c: 2, d: 3 } })).toBe(digestOfJson({ b: { d: 3, c: 2 }, a: 1 }));
  });

  it.each([undefined, Number.NaN, Number.POSITIVE_INFINITY])('refuses %s', (value) => {
    expect(() => canonicalJson(value)).toThrow();
  });
});

describe('digests', () => {
  it('are SHA-256 of the exact bytes (FIPS 180-4, "abc")', () => {
    expect(digestOf('abc')).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('commit to salt and bytes together', () => {
    const salt = Buffer.alloc(16, 7);
    expect(commitmentOf(salt, 'abc')).toBe(digestOf(Buffer.concat([salt, Buffer.from('abc')])));
    expect(commitmentOf(Buffer.alloc(16, 8), 'abc')).not.toBe(commitmentOf(salt, 'abc'));
    expect(() => commitmentOf(Buffer.alloc(15), 'abc')).toThrow(RangeError);
  });
});
