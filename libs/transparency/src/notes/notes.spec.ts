import { createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fromBase64, toBase64, utf8 } from '../bytes.js';
import { FormatError } from '../format-error.js';
import { ed25519PrivateKey, ed25519PublicKey } from '../primitives.js';
import { readCases } from '../testing/cases.store.js';

import { emptyRoot } from '../tree/index.js';
import { formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from './checkpoint.js';
import { type OpenedNote, openNote, parseNote, signNote } from './note.js';
import { formatVerifierKey, noteVerifier, parseVerifierKey, verifierFingerprint } from './verifier-key.js';

interface NoteCases {
  readonly valid: readonly { name: string; seed?: string; verifierKey: string; text: string; note: string }[];
  readonly parsed: readonly { name: string; note: string; text: string; signatures: number }[];
  readonly invalidNotes: readonly string[];
  readonly invalidVerifierKeys: readonly string[];
}
interface CheckpointCases {
  readonly valid: readonly { text: string; origin: string; size: number; extensions: readonly string[] }[];
  readonly invalid: readonly string[];
}
const notes = readCases<NoteCases>('signed-notes.json');
const checkpoints = readCases<CheckpointCases>('checkpoints.json');

/** PKCS #8 (RFC 8410) around a 32-byte seed. */
const privateKeyOf = (seed: Uint8Array) =>
  ed25519PrivateKey(
    createPrivateKey({
      key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
      format: 'der',
      type: 'pkcs8',
    }),
  );
const key = privateKeyOf(new Uint8Array(32).fill(7));
const log = noteVerifier('example.com/log', key.publicKey.bytes);
const head = { origin: log.name, size: 0, root: emptyRoot(), extensions: [] };

describe('known answers of signed notes', () => {
  it.each(notes.valid)('opens $name', ({ verifierKey, text, note }) => {
    const verifier = parseVerifierKey(verifierKey);
    expect(formatVerifierKey(verifier)).toBe(verifierKey);
    expect(openNote(note, [verifier])).toMatchObject({ text, verifiedBy: [verifier] });
    expect(openNote(utf8(note), [verifier])?.text).toBe(text);
  });

  it.each(notes.valid.filter(({ seed }) => seed !== undefined))(
    'signs $name',
    ({ seed, verifierKey, text, note }) => {
      const { name } = parseVerifierKey(verifierKey);
      expect(signNote(text, [{ name, key: privateKeyOf(fromBase64(seed ?? '')) }])).toBe(note);
    },
  );

  it.each(notes.parsed)('takes apart $name', ({ note, text, signatures }) => {
    const parsed = parseNote(note);
    expect(parsed.text).toBe(text);
    expect(parsed.signatures).toHaveLength(signatures);
  });

  it.each(notes.invalidNotes.map((note) => [note]))('refuses the note %j', (note) => {
    expect(() => parseNote(note)).toThrow(FormatError);
  });

  it.each(notes.invalidVerifierKeys.map((text) => [text]))('refuses the verifier key %j', (text) => {
    expect(() => parseVerifierKey(text)).toThrow(FormatError);
  });
});

describe('signed notes', () => {
  const note = signNote('text\n', [{ name: log.name, key }]);

  it('pass over keys that are not known', () => {
    const stranger = noteVerifier('example.com/other', key.publicKey.bytes);
    expect(openNote(note, [])).toBeNull();
    expect(openNote(note, [stranger])).toBeNull();
    expect(openNote(note, [stranger, log])?.verifiedBy).toEqual([log]);
  });

  it('are refused where a known key did not sign, even if another did', () => {
    const second = { name: 'second', key: privateKeyOf(new Uint8Array(32).fill(8)) };
    const both = signNote('text\n', [{ name: log.name, key }, second]);
    const known = [log, noteVerifier('second', second.key.publicKey.bytes)];
    expect(openNote(both, known)?.verifiedBy).toEqual(known);
    const spoilt = both.replace(/(second .{20})(.)/, (_, start, next) => start + (next === 'A' ? 'B' : 'A'));
    expect(openNote(spoilt, known)).toBeNull();
  });

  it('fail or open as another text on any change', () => {
    const bytes = utf8(note);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = bytes.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      let opened: OpenedNote | null = null;
      try {
        opened = openNote(changed, [log]);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
      expect(opened).toBeNull();
    }
  });

  it('refuse texts and names that notes exclude', () => {
    for (const text of ['', 'no newline', 'tab\t\n', 'lone \ud800\n'])
      expect(() => signNote(text, [{ name: log.name, key }])).toThrow(FormatError);
    for (const name of ['', 'a b', 'a+b', 'a\u2003b', 'a\nb'])
      expect(() => signNote('text\n', [{ name, key }])).toThrow(FormatError);
  });

  it('have limits', () => {
    expect(() => parseNote(`${'x'.repeat(300_000)}${note}`)).toThrow(FormatError);
    const signature = note.slice(note.indexOf('—'));
    expect(parseNote(`text\n\n${signature.repeat(100)}`).signatures).toHaveLength(100);
    expect(() => parseNote(`text\n\n${signature.repeat(101)}`)).toThrow(FormatError);
  });

  it('are parsed or refused, whatever the bytes', () => {
    const pieces = fc.constantFrom(
      'text',
      '\n',
      '\n\n',
      '— ',
      'name',
      ' ',
      'AAAAAAAA',
      '=',
      '\u00a0',
      '+',
      '\t',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(pieces, { maxLength: 14 }).map((parts) => parts.join('')),
          fc.uint8Array({ maxLength: 60 }),
          fc.string({ unit: 'binary', maxLength: 60 }),
        ),
        (input) => {
          try {
            expect(parseNote(input).text.endsWith('\n')).toBe(true);
          } catch (error) {
            if (!(error instanceof FormatError)) throw error;
          }
        },
      ),
    );
  });
});

describe('verifier keys', () => {
  it('are refused in every part and with every character changed', () => {
    const text = formatVerifierKey(log);
    for (let start = 0; start < text.length; start += 1)
      for (let end = start; end <= text.length; end += 1)
        if (end - start < text.length)
          expect(() => parseVerifierKey(text.slice(start, end))).toThrow(FormatError);
    for (let at = 0; at < text.length; at += 1) {
      const next = String.fromCharCode(text.charCodeAt(at) + 1);
      expect(() => parseVerifierKey(text.slice(0, at) + next + text.slice(at + 1))).toThrow(FormatError);
    }
  });

  it('are parsed or refused, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        expect(() => parseVerifierKey(text)).toThrow(FormatError);
      }),
    );
  });

  it('have the fingerprint of their SubjectPublicKeyInfo', () => {
    const pair = generateKeyPairSync('ed25519');
    const spki = pair.publicKey.export({ format: 'der', type: 'spki' });
    const verifier = noteVerifier('any/name', ed25519PrivateKey(pair.privateKey).publicKey.bytes);
    expect(verifierFingerprint(verifier)).toBe(`sha256:${createHash('sha256').update(spki).digest('hex')}`);
  });

  it('are Ed25519 keys of 32 bytes', () => {
    expect(() => ed25519PublicKey(new Uint8Array(31))).toThrow(RangeError);
    expect(() => ed25519PrivateKey(generateKeyPairSync('x25519').privateKey)).toThrow(TypeError);
  });
});

describe('checkpoints', () => {
  it.each(checkpoints.valid)('reads $origin', ({ text, origin, size, extensions }) => {
    const checkpoint = parseCheckpoint(text);
    expect(checkpoint).toMatchObject({ origin, size, extensions });
    expect(formatCheckpoint(checkpoint)).toBe(text);
  });

  it.each(checkpoints.invalid.map((text) => [text]))('refuses %j', (text) => {
    expect(() => parseCheckpoint(text)).toThrow(FormatError);
  });

  it('open for the log that signed them', () => {
    expect(openCheckpoint(signCheckpoint(head, key), log)).toEqual(head);
  });

  it('stay closed for another key, another origin and another signer of the same text', () => {
    const other = privateKeyOf(new Uint8Array(32).fill(9));
    expect(openCheckpoint(signCheckpoint(head, other), log)).toBeNull();
    expect(
      openCheckpoint(
        signNote(formatCheckpoint({ ...head, origin: 'example.com/b' }), [{ name: log.name, key }]),
        log,
      ),
    ).toBeNull();
  });

  it('say nothing that reads as something else', () => {
    expect(() => formatCheckpoint({ ...head, origin: 'log\n5' })).toThrow(FormatError);
    expect(() => formatCheckpoint({ ...head, extensions: ['a\nb'] })).toThrow(FormatError);
    expect(() => formatCheckpoint({ ...head, size: 2 ** 60 })).toThrow(FormatError);
    expect(() => formatCheckpoint({ ...head, root: new Uint8Array(31) })).toThrow(FormatError);
  });
});

describe('base64', () => {
  it('has one text for equal bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000, size: 'large' }), (bytes) => {
        expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
        expect(fromBase64(toBase64(bytes))).toEqual(bytes);
      }),
      { numRuns: 30 },
    );
    for (const text of ['A', 'AA', 'AAA', 'AAAA=', 'AB==', ' AAA', 'AAAA\n', 'AA-_'])
      expect(() => fromBase64(text)).toThrow(FormatError);
  });
});
