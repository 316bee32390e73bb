import { CountersignError, catalogue, type ErrorCode } from '@countersign/errors';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { grpcTarget, isLocal, parseAddress } from './address.js';
import { decodeTrailer, encodeTrailer, errorOf, errorOfStatus, failureOf } from './failure.js';
import { backOff } from './limits.js';

describe('addresses', () => {
  it.each([
    ['unix:/run/a.sock', 'unix:/run/a.sock', true],
    ['unix:///run/a.sock', 'unix:/run/a.sock', true],
    ['127.0.0.1:50051', '127.0.0.1:50051', true],
    ['localhost:0', 'localhost:0', true],
    ['[::1]:443', '[::1]:443', true],
    ['policy.example:443', 'policy.example:443', false],
    ['127.0.0.1.example:443', '127.0.0.1.example:443', false],
    ['[2001:db8::1]:443', '[2001:db8::1]:443', false],
    ['0.0.0.0:1', '0.0.0.0:1', false],
  ])('%s is %s, local: %s', (text, target, local) => {
    const address = parseAddress(text);
    expect(grpcTarget(address)).toBe(target);
    expect(isLocal(address)).toBe(local);
  });

  it.each([
    '',
    'policy',
    'policy:99999',
    'unix:',
    'unix:relative',
    'http://x:1',
    `unix:/${'a'.repeat(200)}`,
    'a b:1',
  ])('%j is none', (text) => {
    expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: 'config.invalid' }));
  });
});

describe('an error on the way', () => {
  it.each(Object.keys(catalogue) as ErrorCode[])('%s stays what it was', (code) => {
    const sent = new CountersignError(code, { detail: 'Once.', next: 'Do this.' });
    for (const received of [errorOf(failureOf(sent)), decodeTrailer(encodeTrailer(sent))]) {
      expect([received?.code, received?.message, received?.next]).toEqual([
        sent.code,
        sent.message,
        sent.next,
      ]);
    }
  });

  it('is bounded in size', () => {
    const sent = new CountersignError('internal', { detail: 'x'.repeat(1_000_000) });
    expect(encodeTrailer(sent).length).toBeLessThan(3000);
  });

  it.each([
    [1, 'rpc.cancelled'],
    [4, 'rpc.deadline'],
    [8, 'rpc.overloaded'],
    [14, 'rpc.unavailable'],
    [12, 'internal'],
    [2, 'internal'],
  ])('that gRPC itself gave as %i is %s', (status, code) => {
    expect(errorOfStatus(status, new Error('text'))).toMatchObject({ code });
  });
});

describe('the back-off', () => {
  it('grows to a bound, half of it chance', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
        const time = backOff(failures, random);
        return time >= 12.5 && time <= 500;
      }),
    );
  });
});
