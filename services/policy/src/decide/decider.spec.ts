import { digestOf } from '@countersign/contracts';
import { type LoadedPolicy, loadPolicy } from '@countersign/policy-runtime';
import { describe, expect, it } from '@jest/globals';
import { bundleWithRoles, committedBundle, readingInput } from '../fixtures/bundles.js';
import { Decider } from './decider.js';

const policy = await loadPolicy(committedBundle());
const stricter = await loadPolicy(
  bundleWithRoles((roles) => {
    for (const role of Object.values(roles)) role.verbs = [];
  }),
);
const verdictOf = (decision: Buffer): unknown => JSON.parse(decision.toString()).verdict;

describe('the decider', () => {
  it('names the input and the policy of each decision', () => {
    const decided = new Decider(() => policy, 10).decide(readingInput());
    expect(decided).toMatchObject({
      inputDigest: digestOf(readingInput()),
      policyDigest: policy.policyDigest,
      verdict: 'allow',
      remembered: false,
    });
    expect(verdictOf(decided.decision)).toBe('allow');
  });

  it('remembers the same decision for the same input', () => {
    const decider = new Decider(() => policy, 10);
    const first = decider.decide(readingInput());
    const second = decider.decide(readingInput());
    expect(second).toEqual({ ...first, remembered: true });
    expect(decider.decide(readingInput(1)).remembered).toBe(false);
  });

  it('remembers no more than it may', () => {
    const decider = new Decider(() => policy, 2);
    for (const time of [1, 2, 3]) decider.decide(readingInput(time));
    expect([3, 2].map((time) => decider.decide(readingInput(time)).remembered)).toEqual([true, true]);
    expect(decider.decide(readingInput(1)).remembered).toBe(false);
    const forgetful = new Decider(() => policy, 0);
    forgetful.decide(readingInput());
    expect(forgetful.decide(readingInput()).remembered).toBe(false);
  });

  it('forgets all when another policy decides', () => {
    let active: LoadedPolicy = policy;
    const decider = new Decider(() => active, 10);
    expect(decider.decide(readingInput()).verdict).toBe('allow');
    active = stricter;
    expect(decider.decide(readingInput())).toMatchObject({
      verdict: 'deny',
      policyDigest: stricter.policyDigest,
      remembered: false,
    });
    active = policy;
    expect(decider.decide(readingInput())).toMatchObject({ verdict: 'allow', remembered: false });
  });

  it.each([
    ['no JSON', Buffer.from('{'), 'request.invalid'],
    ['JSON that is not canonical', Buffer.from('{ }'), 'request.invalid'],
    ['more than it takes', Buffer.alloc(70_000, 0x20), 'request.too_large'],
  ])('refuses %s', (_name, input, code) => {
    const decider = new Decider(() => policy, 10);
    expect(() => decider.decide(input)).toThrow(expect.objectContaining({ code }));
  });

  it('decides nothing without a policy', () => {
    const decider = new Decider(() => null, 10);
    expect(() => decider.decide(readingInput())).toThrow(
      expect.objectContaining({ code: 'policy.unavailable' }),
    );
  });
});
