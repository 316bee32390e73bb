import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { corpus } from '../fixtures/index.js';
import { newValueKey, openValueKey, readKeyEncryptionKey, unwrapKey, wrapKey } from '../keys/index.js';
import { readLabels } from '../labels/index.js';
import { base32, labelKey, surrogateOf } from '../strategies/index.js';
import { MOST_CELLS, Releaser } from './release.js';

const labels = readLabels(corpus('labels.json'));
const key = Buffer.alloc(32, 7);
const releaser = new Releaser(key);
const email = (value: string) => ({ label: 'contact.email', value: Buffer.from(value) });
const text = (values: readonly Buffer[]) => values.map((value) => value.toString());

describe('surrogates', () => {
  it('are base32 of RFC 4648, lower case, without padding', () => {
    // Section 10.
    const vectors = ['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar'];
    expect(vectors.map((vector) => base32(Buffer.from(vector)))).toEqual([
      '', 'my', 'mzxq', 'mzxw6', 'mzxw6yq', 'mzxw6ytb', 'mzxw6ytboi',
    ]); // biome-ignore format: a list reads better in a block
  });

  it('are the HMAC of RFC 4231, 128 bits of it', () => {
    const vector = surrogateOf(Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?'));
    expect(vector).toBe(`s_${base32(Buffer.from('5bdcc146bf60754e6a042426089575c7', 'hex'))}`);
  });

  it('are equal exactly for equal values of one label at one target', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (left, right) => {
        const [one, other] = text(releaser.release('shop', labels, 'analyst', [email(left), email(right)]));
        expect(one === other).toBe(left === right);
        expect(one).toMatch(/^s_[a-z2-7]{26}$/);
      }),
    );
    expect(labelKey(key, 'shop', 'a')).not.toEqual(labelKey(key, 'shop', 'b'));
    expect(labelKey(key, 'shop', 'a')).not.toEqual(labelKey(key, 'other', 'a'));
    expect(labelKey(key, 'shop', 'a')).not.toEqual(labelKey(Buffer.alloc(32, 8), 'shop', 'a'));
  });
});

describe('release', () => {
  it('shows nothing of what another strategy hides', () => {
    const cells = [
      { label: 'person.name', value: Buffer.from('Ana') },
      { label: 'employment.salary', value: Buffer.from('1') },
      { label: 'text.free', value: Buffer.from('Write to ana@mail.example.com or +351 123 456 789.') },
    ];
    expect(text(releaser.release('shop', labels, 'analyst', cells))).toEqual([
      '***',
      '***',
      'Write to [contact.email] or [contact.phone].',
    ]);
    expect(text(releaser.release('shop', labels, 'strict', [email('a@b.example')]))).toEqual(['***']);
  });

  it('refuses unknown profiles and labels, and too many cells', () => {
    const refused =
      (profile: string, label: string, times = 1) =>
      () =>
        releaser.release(
          'shop',
          labels,
          profile,
          Array.from({ length: times }, () => ({ label, value: Buffer.of() })),
        );
    expect(refused('nobody', 'contact.email')).toThrow(
      expect.objectContaining({ code: 'masking.profile_unknown' }),
    );
    expect(refused('analyst', 'toString')).toThrow(expect.objectContaining({ code: 'request.invalid' }));
    expect(refused('analyst', 'contact.email', MOST_CELLS + 1)).toThrow(
      expect.objectContaining({ code: 'request.too_large' }),
    );
  });
});

describe('the value key', () => {
  let folder: TemporaryFolder;
  beforeAll(async () => {
    folder = await temporaryFolder();
    mkdirSync(folder.path, { recursive: true });
  });
  afterAll(() => folder.remove());
  const wrapping = Buffer.alloc(32, 1);

  it('opens with the key that wrapped it and with no other, and not when it was changed', () => {
    const made = newValueKey();
    const stored = JSON.stringify(wrapKey(made, wrapping));
    expect(stored).not.toContain(made.toString('base64'));
    expect(unwrapKey(stored, wrapping)).toEqual(made);
    expect(() => unwrapKey(stored, Buffer.alloc(32, 2))).toThrow(
      expect.objectContaining({ code: 'config.invalid' }),
    );
    fc.assert(
      fc.property(fc.nat(stored.length - 1), fc.constantFrom('A', '0', '"', ' '), (at, letter) => {
        const changed = stored.slice(0, at) + letter + stored.slice(at + 1);
        if (changed === stored) return;
        let opened: Buffer | null = null;
        try {
          opened = unwrapKey(changed, wrapping);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'config.invalid' });
        }
        // Base64 has idle bits, so another letter may be the same bytes; another key it never is.
        if (opened !== null) expect(opened).toEqual(made);
      }),
    );
  });

  it('is made once, for its owner alone', () => {
    const file = join(folder.path, 'value-key.json');
    expect(() => openValueKey(file, wrapping, false)).toThrow(
      expect.objectContaining({ code: 'config.invalid' }),
    );
    const first = openValueKey(file, wrapping, true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const bytes = readFileSync(file);
    expect(openValueKey(file, wrapping, true)).toEqual(first);
    expect(readFileSync(file)).toEqual(bytes);
    writeFileSync(file, 'broken');
    expect(() => openValueKey(file, wrapping, true)).toThrow(
      expect.objectContaining({ code: 'config.invalid' }),
    );
  });

  it('is wrapped by 32 bytes in base64 or hexadecimal', () => {
    expect(readKeyEncryptionKey(wrapping.toString('base64'))).toEqual(wrapping);
    expect(readKeyEncryptionKey(`${wrapping.toString('hex')}\n`)).toEqual(wrapping);
    for (const wrong of ['', 'short', wrapping.subarray(1).toString('base64')])
      expect(() => readKeyEncryptionKey(wrong)).toThrow(expect.objectContaining({ code: 'config.invalid' }));
  });
});
