import { describe, expect, it } from '@jest/globals';
import { catalogue, type ErrorCode, isErrorCode } from './catalogue.js';
import { CountersignError, fromWire, toCountersignError, toProblem, toWire } from './countersign-error.js';

const codes = Object.keys(catalogue) as ErrorCode[];

describe('the catalogue', () => {
  it.each(codes)('%s says what happened and what to do, and fits all three protocols', (code) => {
    const entry = catalogue[code];
    expect(entry.message).toMatch(/^[A-Z].*\.$/);
    expect(entry.next).toMatch(/^[A-Z].*\.$/);
    expect(entry.sqlstate).toMatch(/^[0-9A-Z]{5}$/);
    expect(entry.http).toBeGreaterThanOrEqual(200);
    expect(entry.http).toBeLessThan(600);
  });

  it('knows its own codes only', () => {
    expect(isErrorCode('policy.denied')).toBe(true);
    expect(isErrorCode('toString')).toBe(false);
  });
});

describe('an error', () => {
  it('survives the wire', () => {
    for (const code of codes) {
      const sent = new CountersignError(code, { detail: 'Once more.', next: 'Do this.' });
      const received = fromWire(toWire(sent));
      expect([received.code, received.message, received.next]).toEqual([sent.code, sent.message, sent.next]);
    }
  });

  it('never carries the text of its cause', () => {
    const error = toCountersignError(new Error('value 4111111111111111 violates'));
    expect(error.code).toBe('internal');
    expect(JSON.stringify([error.message, toWire(error), toProblem(error)])).not.toContain('4111');
  });

  it('of an unknown code becomes internal', () => {
    expect(fromWire({ code: 'of.tomorrow', detail: 'x' }).code).toBe('internal');
  });

  it('becomes problem details (RFC 9457)', () => {
    expect(toProblem(new CountersignError('policy.denied', { detail: 'Rule role.reader.' }))).toEqual({
      type: 'urn:countersign:error:policy.denied',
      title: 'Policy does not allow this action.',
      status: 403,
      detail: 'Policy does not allow this action. Rule role.reader.',
      code: 'policy.denied',
      next: 'Ask for a role that may do it, or for a narrower action.',
    });
  });
});
