import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decisionOf } from './result.js';

const obligations = { profile: 'strict', lookups: [], rowLimit: 10, timeLimitSeconds: null };
const masked = { verdict: 'modify', rules: ['a.b', 'c.d'], reason: 'Yes.', obligations };
const denied = { verdict: 'deny', rules: ['a.b'], reason: 'No.', obligations: null };
const of = (result: unknown) => decisionOf([{ result }]);

describe('an answer of a policy', () => {
  it('is believed where it is a decision', () => {
    expect(of(masked)).toEqual(masked);
    expect(of(denied)).toEqual(denied);
    expect(
      of({ ...masked, verdict: 'allow', obligations: { ...obligations, profile: 'none' } }),
    ).not.toBeNull();
    expect(
      of({ ...masked, verdict: 'step_up', obligations: { ...obligations, profile: 'none' } }),
    ).not.toBeNull();
  });

  it('has its keys in one order', () => {
    const shuffled = Object.fromEntries(Object.entries(masked).reverse());
    expect(JSON.stringify(of(shuffled))).toBe(JSON.stringify(of(masked)));
  });

  it.each([
    ['an unknown verdict', { ...denied, verdict: 'permit' }],
    ['no rule', { ...denied, rules: [] }],
    ['rules out of order', { ...denied, rules: ['b.a', 'a.b'] }],
    ['a rule twice', { ...denied, rules: ['a.b', 'a.b'] }],
    ['a rule that is no id', { ...denied, rules: ['a value of the statement'] }],
    ['no reason', { ...denied, reason: '' }],
    ['a reason that is no sentence', { ...denied, reason: 'No' }],
    ['a reason over two lines', { ...denied, reason: 'No.\nReally.' }],
    ['an endless reason', { ...denied, reason: `${'x'.repeat(500)}.` }],
    ['obligations of a refusal', { ...denied, obligations }],
    ['no obligations of a permission', { ...masked, obligations: null }],
    ['an obligation too many', { ...masked, obligations: { ...obligations, notify: true } }],
    ['an obligation too few', { ...masked, obligations: { ...obligations, rowLimit: undefined } }],
    ['a limit of nothing', { ...masked, obligations: { ...obligations, rowLimit: 0 } }],
    ['half a limit', { ...masked, obligations: { ...obligations, timeLimitSeconds: 0.5 } }],
    ['lookups out of order', { ...masked, obligations: { ...obligations, lookups: ['b', 'a'] } }],
    ['a modification that masks nothing', { ...masked, obligations: { ...obligations, profile: 'none' } }],
    ['a permission that masks', { ...masked, verdict: 'allow' }],
    ['a key too many', { ...denied, comment: 'x' }],
    ['nothing', undefined],
    ['a list', [denied]],
  ])('with %s is not', (_name, result) => {
    expect(of(result)).toBeNull();
  });

  it('that is not one result is not', () => {
    expect(decisionOf([])).toBeNull();
    expect(decisionOf([{ result: denied }, { result: denied }])).toBeNull();
    expect(decisionOf({ result: denied })).toBeNull();
    expect(decisionOf([{ result: denied, more: 1 }])).toBeNull();
  });

  it('of any shape is read without an exception', () => {
    fc.assert(fc.property(fc.anything(), (value) => decisionOf(value) === null && of(value) === null));
  });
});
