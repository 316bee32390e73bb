import { describe, expect, it } from '@jest/globals';
import { Tally } from './tally.js';

describe('a tally', () => {
  it('counts equal readings once and begins anew', () => {
    const tally = new Tally();
    const reading = { principal: 'person-1', resource: '/tile/*path', status: 200 };
    tally.add(reading);
    tally.add(reading);
    tally.add({ ...reading, status: 404 });
    expect(tally.take()).toEqual([
      { ...reading, count: 2 },
      { ...reading, status: 404, count: 1 },
    ]);
    expect(tally.take()).toEqual([]);
  });

  it('stays small under a flood and loses no count', () => {
    const tally = new Tally();
    for (let index = 0; index < 5000; index += 1) {
      tally.add({ principal: null, resource: `/v1/${index}`, status: index % 2 === 0 ? 401 : 403 });
    }
    const counted = tally.take();
    expect(counted.length).toBeLessThanOrEqual(102);
    expect(counted.reduce((sum, { count }) => sum + count, 0)).toBe(5000);
  });
});
