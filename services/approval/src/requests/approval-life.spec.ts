import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fold } from '../aggregate/index.js';
import { readCases } from '../fixtures/index.js';
import { type ApprovalCommand, type ApprovalHappening, approvalRules } from './approval.js';

const commands = readCases('approval.json').map(({ when }) => when as ApprovalCommand);

describe('the life of an approval', () => {
  it('lets at most one action run, and only after an eligible answer, whatever is asked in whatever order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...commands), { maxLength: 40 }), (asked) => {
        const happened: ApprovalHappening[] = [];
        for (const command of asked) {
          const ruling = approvalRules.decide(fold(approvalRules, happened), command);
          happened.push(...ruling.happened);
          if (command.type === 'consume') expect(ruling.refusal === null).toBe(ruling.happened.some(isUse));
        }
        const uses = happened.filter(isUse);
        expect(uses.length).toBeLessThanOrEqual(1);
        const answers = happened.filter(({ type }) => type === 'approved');
        expect(answers.length).toBeLessThanOrEqual(1);
        if (uses.length === 1) expect(answers).toHaveLength(1);
        for (const answer of answers) expect(answer).toMatchObject({ approver: 'person:approver' });
      }),
    );
  });
});

const isUse = ({ type }: ApprovalHappening) => type === 'consumed';
