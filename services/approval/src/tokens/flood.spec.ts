import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Attempts } from './attempts.js';
import { Flood } from './flood.js';

const flood = (kinds = 3) =>
  new Flood<string>(
    { period: 1000, singles: 2, kinds },
    (kind) => kind,
    () => 'others',
  );

describe('a flood', () => {
  it('is told one by one until there are too many, then counted', () => {
    const counter = flood();
    expect([0, 1, 2, 3].map((now) => counter.add('a', now))).toEqual([true, true, false, false]);
    expect(counter.due(500)).toEqual([]);
    expect(counter.due(1000)).toEqual([{ kind: 'a', count: 2 }]);
    expect(counter.due(2000)).toEqual([]);
    expect(counter.add('a', 2000)).toBe(true);
  });

  it('forgets a quiet period without a word', () => {
    const counter = flood();
    counter.add('a', 0);
    expect(counter.due(5000)).toEqual([]);
  });

  it('counts every one exactly once, in bounded memory', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(50), fc.nat(400)), { maxLength: 300 }), (things) => {
        const counter = flood();
        let [now, told] = [0, 0];
        for (const [kind, pause] of things) {
          now += pause;
          if (counter.add(`kind ${kind}`, now)) told += 1;
          for (const { count } of counter.due(now)) told += count;
        }
        const rest = counter.due(now, true);
        expect(rest.length).toBeLessThanOrEqual(4);
        for (const { count } of rest) told += count;
        expect(told).toBe(things.length);
      }),
    );
  });
});

describe('refused attempts', () => {
  it('make a peer wait until the minute is over', () => {
    const attempts = new Attempts(2);
    expect(attempts.exhausted('peer', 0)).toBe(false);
    attempts.refused('peer', 0);
    expect(attempts.exhausted('peer', 1)).toBe(false);
    attempts.refused('peer', 1);
    expect(attempts.exhausted('peer', 2)).toBe(true);
    expect(attempts.exhausted('other', 2)).toBe(false);
    expect(attempts.exhausted('peer', 60_000)).toBe(false);
  });

  it('remembers a bounded number of peers', () => {
    const attempts = new Attempts(1);
    for (let peer = 0; peer < 10_001; peer += 1) attempts.refused(String(peer), 0);
    expect(attempts.exhausted('0', 0)).toBe(false);
    expect(attempts.exhausted('10000', 0)).toBe(true);
  });
});
