import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formsOf, search } from './needles.js';

const value = 'Zyxquartz Übermut/?+&"1';
const within = (text: string) => [{ name: 'log', bytes: Buffer.from(text) }];
const formsFound = (text: string) =>
  search(within(text), [{ name: 'needle', value }]).map(({ form }) => form);

describe('a value is found', () => {
  it.each([
    ['as it is', `said ${value} there`],
    ['JSON', JSON.stringify({ value })],
    ['URL component', `/v1/records?agent=${encodeURIComponent(value)}`],
    ['form field', new URLSearchParams({ agent: value }).toString().replaceAll('%21', '!')],
    ['hexadecimal', `\\x${Buffer.from(value).toString('hex')}`],
    ['HEXADECIMAL', Buffer.from(value).toString('hex').toUpperCase()],
    [
      'percent-encoded',
      [...Buffer.from(value)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
    ],
  ])('%s', (form, text) => {
    expect(formsFound(text)).toContain(form);
  });

  it('in base64 and base64url of whatever contains it', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 9 }),
        fc.uint8Array({ maxLength: 9 }),
        fc.uint8Array({ minLength: 6, maxLength: 40 }),
        fc.constantFrom('base64', 'base64url'),
        (before, after, needle, encoding) => {
          const text = Buffer.concat([before, needle, after]).toString(encoding as 'base64');
          const hits = search(within(text), [{ name: 'needle', value: needle }]);
          expect(hits.some(({ form }) => form.startsWith('base64'))).toBe(true);
        },
      ),
    );
  });
});

it('finds nothing where nothing is', () => {
  expect(formsFound('Zyxquartz Ubermut, and bytes of another kind: WnlmcXVhcnR6')).toEqual([]);
});

it('gives each form once', () => {
  const forms = [...formsOf('abcdefgh').values()].map((form) => form.toString());
  expect(new Set(forms).size).toBe(forms.length);
});
