import { CountersignError, catalogue, type ErrorCode } from '@countersign/errors';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { grpcTarget, isLocal, parseAddress } from './address.js';
import { Outbox } from './channel/outbox.js';
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

const turn = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

describe('the outbox', () => {
  it('writes what one turn brought in one batch, in order', async () => {
    const batches: number[][] = [];
    const outbox = new Outbox<number>(
      (items) => {
        batches.push(items);
        return true;
      },
      () => 1,
      1000,
    );
    for (let item = 0; item < 5; item += 1) outbox.push(item);
    await Promise.resolve().then(() => outbox.push(5));
    await turn();
    outbox.push(6);
    await turn();
    expect(batches).toEqual([[0, 1, 2, 3, 4, 5], [6]]);
  });

  it('loses, doubles and reorders nothing under any back-pressure', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ size: fc.integer({ min: 1, max: 9 }), wait: fc.boolean() }), { maxLength: 40 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 10 }),
        fc.integer({ min: 1, max: 20 }),
        async (pushes, answers, batchBytes) => {
          const written: number[] = [];
          let [writes, blocked] = [0, false];
          const outbox = new Outbox<{ id: number; size: number }>(
            (items) => {
              if (blocked) throw new Error('written while blocked');
              written.push(...items.map(({ id }) => id));
              const more = answers[writes % answers.length] ?? true;
              writes += 1;
              blocked = !more;
              return more;
            },
            ({ size }) => size,
            batchBytes,
          );
          for (const [id, { size, wait }] of pushes.entries()) {
            outbox.push({ id, size });
            if (wait) await turn();
            if (wait && blocked) {
              blocked = false;
              outbox.resume();
            }
          }
          for (let round = 0; round < pushes.length + 1 && outbox.length > 0; round += 1) {
            blocked = false;
            outbox.resume();
            await turn();
          }
          expect(written).toEqual(pushes.map((_, id) => id));
        },
      ),
    );
  });

  it('forgets what is pruned, and everything once closed', async () => {
    const written: number[] = [];
    const outbox = new Outbox<number>(
      (items) => written.push(...items) > 0,
      () => 1,
      1000,
    );
    outbox.push(1);
    outbox.push(2);
    outbox.prune((item) => item === 2);
    await turn();
    outbox.push(3);
    outbox.close();
    await turn();
    expect(written).toEqual([2]);
  });
});
