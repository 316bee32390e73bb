import { describe, expect, it } from '@jest/globals';
import { fold } from '../aggregate/index.js';
import { readCases } from '../fixtures/index.js';
import { type PrincipalCommand, type PrincipalHappening, principalRules } from './principal.js';

describe('principal', () => {
  it.each(readCases('principal.json').map((example) => [example.name, example] as const))(
    '%s',
    (_, example) => {
      const state = fold(principalRules, example.given as PrincipalHappening[]);
      expect(principalRules.decide(state, example.when as PrincipalCommand)).toEqual({
        happened: example.then,
        refusal: example.refusal ?? null,
      });
    },
  );
});
