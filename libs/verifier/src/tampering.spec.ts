import { beforeAll, describe, expect, it } from '@jest/globals';
import { readCases } from './testing/bundle.store.js';
import { phrase, type TamperCase, tamper } from './testing/tamper.fixture.js';
import { createWorld, verifyParts, type World } from './testing/world.fixture.js';

const cases = readCases<TamperCase>('tampering.jsonl');
let world: World;

beforeAll(async () => {
  world = await createWorld();
});

describe('tampering with events is found, and named as exactly as signatures allow', () => {
  it.each(cases)('$name', async (row) => {
    const tampered = tamper(world.parts, row, world.epochKeys);
    const report = await verifyParts(tampered, ...row.trust.map((word) => world.trust[word]));
    expect(report.findings.map((finding) => phrase(finding, tampered.leaves))).toEqual(row.finds);
    expect(report.verdict).toBe(row.verdict);
    // What cannot be found is written down with its reason, never just missing from the table.
    expect(row.limit !== undefined).toBe(report.verdict === 'authentic');
  });
});
