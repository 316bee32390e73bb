import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isUsablePoint } from './ed25519-point.js';
import { publicKeySchema, readPublicKey, thumbprintOf } from './public-key.js';

const bytesOf = (hex: string) => Buffer.from(hex, 'hex');
const p = 2n ** 255n - 19n;
const littleEndian = (value: bigint) => bytesOf(value.toString(16).padStart(64, '0')).reverse();

describe('public keys', () => {
  it('takes the example of RFC 8037 and its thumbprint', () => {
    const key = readPublicKey({
      kty: 'OKP',
      crv: 'Ed25519',
      x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    });
    expect(thumbprintOf(key)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });

  it('takes every key that is made', () => {
    for (let round = 0; round < 20; round += 1) {
      const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
      expect(readPublicKey({ kty: 'OKP', crv: 'Ed25519', x })).toEqual({ kty: 'OKP', crv: 'Ed25519', x });
    }
  });

  // All canonical encodings of the points whose order divides 8.
  it.each([
    ['identity', '0100000000000000000000000000000000000000000000000000000000000000'],
    ['order 2', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['order 4', '0000000000000000000000000000000000000000000000000000000000000000'],
    ['order 4, other sign', '0000000000000000000000000000000000000000000000000000000000000080'],
    ['order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
    ['order 8, other sign', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85'],
    ['order 8, second', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
    ['order 8, second, other sign', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa'],
  ])('refuses a point of small order: %s', (_, hex) => {
    expect(isUsablePoint(bytesOf(hex))).toBe(false);
  });

  it('refuses encodings beyond the field, which would be second names of a key', () => {
    for (let above = 0n; above < 19n; above += 1n) expect(isUsablePoint(littleEndian(p + above))).toBe(false);
  });

  it('refuses about half of all bytes: they are no points', () => {
    const points = Array.from({ length: 200 }, (_, index) =>
      isUsablePoint(littleEndian(BigInt(index) + 1000n)),
    );
    const usable = points.filter(Boolean).length;
    expect(usable).toBeGreaterThan(60);
    expect(usable).toBeLessThan(140);
  });

  it.each([
    ['a private key', { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43), d: 'A'.repeat(43) }],
    ['another curve', { kty: 'OKP', crv: 'X25519', x: 'A'.repeat(43) }],
    ['another kind', { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }],
    ['a symmetric key', { kty: 'oct', k: 'A'.repeat(43) }],
    ['no key', null],
  ])('refuses %s', (_, key) => {
    expect(publicKeySchema.safeParse(key).success).toBe(false);
  });

  it('answers every text in one of two ways', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 43, maxLength: 43 }), (x) => {
        expect(() => readPublicKey({ kty: 'OKP', crv: 'Ed25519', x })).toThrow('not');
      }),
    );
  });
});
