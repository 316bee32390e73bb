import { canonicalJson, commitmentOf, opaqueFacts, type PolicyInput } from '@countersign/contracts';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bindingText } from './binding.js';
import { commitToSubmitted, ReleasedCommitment, saltOf, textOfStatement } from './commitments.js';
import { policyInputKey, policyInputText } from './policy-input.js';

const claims = {
  session: 's-1',
  agent: 'agent-1',
  onBehalfOf: 'person-1',
  delegation: [],
  grant: 'g-1',
  role: 'analyst',
  target: 'shop',
  protocol: 'postgresql',
} as const;

const statement = (text: string, parameters: readonly (string | null)[] = []) =>
  ({
    kind: 'statement',
    text,
    parameterTypes: [],
    parameters: parameters.map((value) => (value === null ? null : Buffer.from(value))),
    purpose: 'run',
  }) as const;

describe('the input of policy', () => {
  const approvals = fc.option(
    fc.record({ id: fc.string(), approver: fc.string(), decidedAt: fc.nat(), expiresAt: fc.nat() }),
    { nil: null },
  );

  it('is put together from its parts as it would be serialised whole', () => {
    fc.assert(
      fc.property(fc.nat(), approvals, fc.string(), (time, approval, agent) => {
        const session = { ...claims, agent };
        const facts = opaqueFacts('unparsable');
        const input: PolicyInput = { version: 1, time, session, facts, approval };
        const parts = { time, claimsText: canonicalJson(session), factsText: canonicalJson(facts), approval };
        expect(policyInputText(parts)).toBe(canonicalJson(input));
      }),
    );
  });

  it('has another key whenever anything in it differs', () => {
    const approval = { id: 'a', approver: 'b', decidedAt: 1, expiresAt: 2 };
    const keys = [
      policyInputKey({ time: 1, approval: null }, 'facts', 'session'),
      policyInputKey({ time: 2, approval: null }, 'facts', 'session'),
      policyInputKey({ time: 1, approval }, 'facts', 'session'),
      policyInputKey({ time: 1, approval: { ...approval, expiresAt: 3 } }, 'facts', 'session'),
      policyInputKey({ time: 1, approval: null }, 'other', 'session'),
      policyInputKey({ time: 1, approval: null }, 'facts', 'other'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('what an approval is bound to', () => {
  const bound = (text: string, parameters: readonly (string | null)[] = [], other: object = {}): string =>
    bindingText({ ...claims, ...other }, statement(text, parameters), 'sha256:policy', 'analyst');

  it('differs with one character, one parameter, one name', () => {
    const all = [
      bound('DELETE FROM a'),
      bound('DELETE FROM a '),
      bound('DELETE FROM a', ['1']),
      bound('DELETE FROM a', ['2']),
      bound('DELETE FROM a', [null]),
      bound('DELETE FROM a', ['']),
      bound('DELETE FROM a', [], { agent: 'agent-2' }),
      bound('DELETE FROM a', [], { onBehalfOf: 'person-2' }),
      bound('DELETE FROM a', [], { grant: 'g-2' }),
      bound('DELETE FROM a', [], { role: 'reader' }),
      bound('DELETE FROM a', [], { target: 'other' }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it('is the same on a later session', () => {
    expect(bound('DELETE FROM a', ['1'], { session: 's-2' })).toBe(bound('DELETE FROM a', ['1']));
  });

  it('keeps parameters apart from one another and from the text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string(), { maxLength: 3 }),
        fc.array(fc.string(), { maxLength: 3 }),
        (left, right) => {
          const same = JSON.stringify(left) === JSON.stringify(right);
          expect(bound('x', left) === bound('x', right)).toBe(same);
        },
      ),
    );
  });
});

describe('commitments', () => {
  const secret = Buffer.alloc(32, 1);

  it('have a salt for each action and purpose', () => {
    const salts = [
      saltOf(secret, 'a', 'submitted'),
      saltOf(secret, 'a', 'running'),
      saltOf(secret, 'a', 'released'),
      saltOf(secret, 'b', 'running'),
      saltOf(Buffer.alloc(32, 2), 'a', 'running'),
    ];
    expect(new Set(salts.map((salt) => salt.toString('hex'))).size).toBe(salts.length);
  });

  it('can be opened with the salt and the bytes', () => {
    const submitted = statement('SELECT $1', ['x']);
    expect(commitToSubmitted(secret, 'a', submitted)).toBe(
      commitmentOf(saltOf(secret, 'a', 'submitted'), textOfStatement(submitted)),
    );
    const released = new ReleasedCommitment(secret, 'a');
    released.add(Buffer.from('one'));
    released.add(Buffer.from('two'));
    expect(released.digest()).toBe(commitmentOf(saltOf(secret, 'a', 'released'), 'onetwo'));
  });
});
