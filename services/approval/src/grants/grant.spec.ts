import { describe, expect, it } from '@jest/globals';
import { fold } from '../aggregate/index.js';
import { readCases } from '../fixtures/index.js';
import { type GrantCommand, type GrantHappening, grantRules } from './grant.js';

describe('grant', () => {
  it.each(readCases('grant.json').map((example) => [example.name, example] as const))('%s', (_, example) => {
    const state = fold(grantRules, example.given as GrantHappening[]);
    expect(grantRules.decide(state, example.when as GrantCommand)).toEqual({
      happened: example.then,
      refusal: example.refusal ?? null,
    });
  });
});
