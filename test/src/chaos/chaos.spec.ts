import { describe, expect, it } from '@jest/globals';
import { chaos } from './chaos.driver.js';

const full = process.env.FULL === '1';
const seeds = [1];
const faults = full ? 20 : 15;

describe.each(seeds)('with seed %i, while processes die, stand still and are cut off', (seed) => {
  it(`nothing runs unrecorded, and nothing is lost or doubled, after ${faults} faults`, async () => {
    const result = await chaos({ seed, faults });
    expect(result.wrong).toEqual([]);
    expect(result.faults).toHaveLength(faults);
    expect(result.matched).toBeGreaterThan(faults);
    expect(result.leaves).toBeGreaterThan(result.matched);
  }, 600_000);
});
