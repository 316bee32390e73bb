import { canonicalJson, digestOf } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readBinding } from './binding.js';

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const binding = {
  version: 1,
  agent: 'agent:reporter',
  onBehalfOf: 'person:owner',
  grant: '0190a000-0000-7000-8000-000000000001',
  role: 'operator',
  target: 'clinic',
  action: digest('1'),
  policyDigest: digest('2'),
  profile: 'analyst',
};
const bytes = (value: unknown) => Buffer.from(canonicalJson(value));

describe('bindings', () => {
  it('reads the canonical form', () => {
    expect(readBinding(bytes(binding))).toEqual({
      binding,
      text: canonicalJson(binding),
      digest: digestOf(canonicalJson(binding)),
    });
  });

  it.each(Object.keys(binding))('is another binding with another %s', (name) => {
    const value = binding[name as keyof typeof binding];
    const other = { ...binding, [name]: name === 'version' ? 2 : `${String(value).slice(0, -1)}0` };
    const read = () => readBinding(bytes(other)).digest;
    if (name === 'version') expect(read).toThrow('binding');
    else expect(read()).not.toBe(readBinding(bytes(binding)).digest);
  });

  it.each([
    ['white space', Buffer.from(JSON.stringify(JSON.parse(canonicalJson(binding)), undefined, 1))],
    ['another order', Buffer.from(JSON.stringify(binding))],
    ['a member more', bytes({ ...binding, kind: 'person' })],
    ['a member less', bytes({ ...binding, profile: undefined })],
    ['a person as agent', bytes({ ...binding, agent: 'person:owner' })],
    ['an agent as person', bytes({ ...binding, onBehalfOf: 'agent:reporter' })],
    ['a control character', bytes({ ...binding, target: 'a\u0000b' })],
    ['no digest', bytes({ ...binding, action: 'DELETE FROM t' })],
    ['a mark before it', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes(binding)])],
    ['no UTF-8', Buffer.from([0xff, 0xfe])],
    ['too much', bytes({ ...binding, target: 'x'.repeat(9000) })],
    ['nothing', Buffer.alloc(0)],
    ['a number', Buffer.from('1')],
    ['a repeated member', Buffer.from(canonicalJson(binding).replace('{', '{"agent":"agent:other",'))],
  ])('refuses %s', (_, value) => {
    expect(() => readBinding(value)).toThrow(CountersignError);
  });

  it('survives any bytes and repeats none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (value) => {
        expect(() => readBinding(value)).toThrow(/^The request is not valid\. binding: [a-zA-Z0-9 ]+\.$/);
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => readBinding(bytes(value))).toThrow(
          /^The request is not valid\. binding: [a-zA-Z0-9 ]+\.$/,
        );
      }),
    );
  });
});
