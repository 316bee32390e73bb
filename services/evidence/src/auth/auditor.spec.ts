import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { auditorOf, bearerOf } from './auditor.js';

describe('claims', () => {
  it('of an auditor name the person', () => {
    expect(auditorOf({ sub: 'person-1', kind: 'person', roles: ['approver', 'auditor'] })).toEqual({
      principal: 'person-1',
    });
  });

  it.each([
    [
      'an agent, whatever its roles',
      { sub: 'agent-1', kind: 'agent', roles: ['auditor'] },
      'auth.kind_forbidden',
    ],
    ['an unknown kind', { sub: 'x', kind: 'Person', roles: ['auditor'] }, 'auth.kind_forbidden'],
    [
      'a person with another role',
      { sub: 'person-1', kind: 'person', roles: ['approver'] },
      'auth.role_required',
    ],
    ['a person without roles', { sub: 'person-1', kind: 'person' }, 'auth.role_required'],
    ['roles that are one text', { sub: 'person-1', kind: 'person', roles: 'auditor' }, 'auth.token_invalid'],
    ['nobody', { kind: 'person', roles: ['auditor'] }, 'auth.token_invalid'],
    [
      'a subject with a line break',
      { sub: 'a\nb', kind: 'person', roles: ['auditor'] },
      'auth.token_invalid',
    ],
    ['nothing', null, 'auth.token_invalid'],
  ])('of %s are refused', (_, claims, code) => {
    expect(() => auditorOf(claims)).toThrow(expect.objectContaining({ code }));
  });
});

describe('an Authorization header', () => {
  it('carries a bearer token', () => {
    expect(bearerOf('Bearer a.b-c_d')).toBe('a.b-c_d');
    expect(bearerOf('bearer a.b')).toBe('a.b');
  });

  it('is missing where it is empty, and the hint says where it goes', () => {
    expect(() => bearerOf(undefined)).toThrow(
      expect.objectContaining({
        code: 'auth.token_missing',
        next: expect.stringContaining('Authorization: Bearer'),
      }),
    );
    expect(() => bearerOf('')).toThrow(expect.objectContaining({ code: 'auth.token_missing' }));
  });

  it('is refused whatever else it is', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }).filter((text) => !/^bearer /i.test(text)),
        (text) => {
          expect(() => bearerOf(text)).toThrow(expect.objectContaining({ code: 'auth.token_invalid' }));
        },
      ),
    );
  });
});
