import { CountersignError } from '@countersign/errors';
import { describe, expect, it } from '@jest/globals';
import { reportOf, scrubbed } from './reports.js';

describe('what an agent reads of an error', () => {
  it('is the catalogue, with rules and the action', () => {
    const error = new CountersignError('policy.denied', { detail: 'Not for this role.' });
    expect(reportOf(error, { action: 'a-1', rules: ['deny.ddl'] })).toEqual({
      severity: 'ERROR',
      sqlstate: '42501',
      message: 'Policy does not allow this action. Not for this role.',
      detail: 'Code policy.denied. Rules: deny.ddl. Action a-1.',
      hint: 'Ask for a role that may do it, or for a narrower action.',
      code: 'policy.denied',
    });
  });

  const report = {
    severity: 'ERROR',
    sqlstate: '23505',
    schema: 'shop',
    table: 'customers',
    column: 'email',
  };

  it.each([
    [[], [undefined, undefined, undefined]],
    [['shop.orders'], [undefined, undefined, undefined]],
    [['shop.customers'], ['shop', 'customers', undefined]],
    [
      ['shop.customers', 'shop.customers.email'],
      ['shop', 'customers', 'email'],
    ],
    [['shop.customers.email'], [undefined, undefined, undefined]],
  ])('names of a target error only what is known: %j', (known, expected) => {
    const { schema, table, column } = scrubbed(report, new Set(known), 'a-1');
    expect([schema, table, column]).toEqual(expected);
  });

  it('says something of every SQLSTATE', () => {
    for (const sqlstate of ['23505', '23999', 'ZZ999']) {
      expect(scrubbed({ ...report, sqlstate }, new Set(), 'a').message).toMatch(/^[A-Z].*\.$/);
    }
  });
});
