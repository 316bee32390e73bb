import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Outbox } from './outbox.js';

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
