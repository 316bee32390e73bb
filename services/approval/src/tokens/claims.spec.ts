import { CountersignError } from '@countersign/errors';
import { describe, expect, it } from '@jest/globals';
import type { ListedGrant } from '../grants/index.js';
import { claimsFor } from './claims.js';

const key = { kty: 'OKP', crv: 'Ed25519', x: 'k' } as const;
const agent = {
  id: 'agent:reporter',
  kind: 'agent',
  roles: [],
  key,
  thumbprint: 't',
  status: 'enrolled',
} as const;
const person = { ...agent, id: 'person:ada', kind: 'person', roles: ['approver'] } as const;
const grant: ListedGrant = {
  ...{
    id: 'g1',
    status: 'active',
    agent: agent.id,
    onBehalfOf: 'person:owner',
    target: 'clinic',
    role: 'analyst',
  },
  ...{ expiresAt: 9, requestedAt: 1, requestedBy: agent.id, decidedAt: 2, decidedBy: 'person:ada' },
};

const codeOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    if (error instanceof CountersignError) return error.code;
  }
  return undefined;
};

describe('claims of a token', () => {
  it('name the target of the grant, the role and the person behind the agent', () => {
    const claims = {
      ...{ kind: 'agent', sub: agent.id, aud: 'clinic', grant: 'g1', role: 'analyst' },
      ...{ on_behalf_of: 'person:owner', act: { sub: agent.id } },
    };
    expect(claimsFor(agent, { audience: 'clinic', grant: 'g1' }, grant)).toEqual(claims);
    expect(claimsFor(agent, { audience: null, grant: 'g1' }, grant)).toEqual(claims);
  });

  it('give an agent nothing of a person', () => {
    const claims = claimsFor(agent, { audience: 'countersign-approval', grant: null }, null);
    expect(claims).toEqual({ kind: 'agent', sub: agent.id, aud: 'countersign-approval' });
  });

  it.each(['countersign-approval', 'countersign-evidence'] as const)(
    'give a person its roles at %s',
    (audience) => {
      expect(claimsFor(person, { audience, grant: null }, null)).toEqual({
        ...{ kind: 'person', sub: person.id, aud: audience, roles: ['approver'] },
      });
    },
  );

  it.each([
    ['an agent at evidence', agent, 'countersign-evidence', null, null, 'auth.kind_forbidden'],
    ['an agent without a grant', agent, 'clinic', null, null, 'request.invalid'],
    ['an agent without anything', agent, null, null, null, 'request.invalid'],
    ['a grant for another target', agent, 'shop', 'g1', grant, 'request.invalid'],
    ['a grant to get at the approval API', agent, 'countersign-approval', 'g1', grant, 'request.invalid'],
    ['a grant of another agent', { ...agent, id: 'agent:other' }, 'clinic', 'g1', grant, 'grant.unknown'],
    ['a grant that is none', agent, 'clinic', 'g2', null, 'grant.unknown'],
    ['a person at a target', person, 'clinic', null, null, 'auth.kind_forbidden'],
    ['a person under a grant', person, 'clinic', 'g1', grant, 'auth.kind_forbidden'],
    ['a person without an audience', person, null, null, null, 'auth.kind_forbidden'],
    [
      'a disabled person',
      { ...person, status: 'disabled' },
      'countersign-approval',
      null,
      null,
      'auth.principal_disabled',
    ],
    ['a disabled agent', { ...agent, status: 'disabled' }, 'clinic', 'g1', grant, 'auth.principal_disabled'],
  ] as const)('are refused to %s', (_, principal, audience, grantId, found, code) => {
    expect(codeOf(() => claimsFor(principal, { audience, grant: grantId }, found))).toBe(code);
  });
});
