import { describe, expect, it } from '@jest/globals';
import { fold } from '../aggregate/index.js';
import { readCases } from '../fixtures/index.js';
import { type ApprovalCommand, type ApprovalHappening, approvalRules } from './approval.js';

describe('approval', () => {
  it.each(readCases('approval.json').map((example) => [example.name, example] as const))(
    '%s',
    (_, example) => {
      const state = fold(approvalRules, example.given as ApprovalHappening[]);
      expect(approvalRules.decide(state, example.when as ApprovalCommand)).toEqual({
        happened: example.then,
        refusal: example.refusal ?? null,
      });
    },
  );
});
