import { describe, expect, it } from '@jest/globals';
import { IdIndex } from './id-index.js';

describe('the index of ids', () => {
  it('remembers where each id was first', () => {
    const index = new IdIndex();
    for (let place = 0; place < 20_000; place += 1) expect(index.claim(`id ${place}`, place)).toBeUndefined();
    for (let place = 0; place < 20_000; place += 997) expect(index.claim(`id ${place}`, 99_999)).toBe(place);
    expect(index.claim('', 20_000)).toBeUndefined();
    expect(index.claim('', 20_001)).toBe(20_000);
  });
});
