import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { faultsOf } from './faults.js';

const victims = { processes: ['policy', 'store'], links: ['evidence→store'] };

describe('seeded faults', () => {
  it('are the same for the same seed, and others for another', () => {
    expect(faultsOf(7, 20, victims)).toEqual(faultsOf(7, 20, victims));
    expect(faultsOf(7, 20, victims)).not.toEqual(faultsOf(8, 20, victims));
  });

  it('strike every victim before one is struck twice', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 30 }), (seed, count) => {
        const faults = faultsOf(seed, count, victims);
        expect(faults).toHaveLength(count);
        for (let first = 0; first < count; first += 3) {
          const round = faults.slice(first, first + 3).map(({ victim }) => victim);
          expect(new Set(round).size).toBe(round.length);
        }
        for (const { victim, kind } of faults)
          expect(victims.links.includes(victim)).toBe(kind === 'stall' || kind === 'swallow-answers');
      }),
      { numRuns: 30 },
    );
  });
});
