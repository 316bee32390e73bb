import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readCases } from '../fixtures/index.js';
import { checkAssertion, claimedPrincipal } from './assertion.js';

const expected = {
  principal: 'agent:reporter',
  audiences: ['urn:countersign:approval', 'https://approval.example/oauth/token'],
  now: 1000,
};

describe('claims of a client assertion', () => {
  it.each(readCases('assertion.json').map((example) => [example.name, example] as const))(
    '%s',
    (_, example) => {
      const check = checkAssertion(example.when, expected);
      if (example.refusal === undefined) expect([check]).toEqual(example.then);
      else expect(check).toEqual({ valid: false, detail: expect.stringContaining(example.refusal) });
    },
  );

  it('are refused whatever they are, if they are not right', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (claims) => {
        expect(checkAssertion(claims, expected).valid).toBe(false);
      }),
    );
  });

  it.each([
    [
      { iss: 'agent:a', sub: 'agent:a' },
      { id: 'agent:a', kind: 'agent' },
    ],
    [
      { iss: 'person:a', sub: 'person:a', kind: 'agent' },
      { id: 'person:a', kind: 'person' },
    ],
    [{ iss: 'agent:a', sub: 'person:a' }, null],
    [{ iss: 'agent:a' }, null],
    [{ iss: 'root', sub: 'root' }, null],
    [{ iss: 'agent:a\u0000', sub: 'agent:a\u0000' }, null],
    [null, null],
  ])('%j is of %j', (claims, principal) => {
    expect(claimedPrincipal(claims)).toEqual(principal);
  });
});
