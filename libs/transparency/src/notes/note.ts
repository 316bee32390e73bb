import { concat, equal, fromBase64, fromUtf8, toBase64, utf8 } from '../bytes.js';
import { FormatError } from '../format-error.js';
import type { Ed25519PrivateKey } from '../primitives.js';
import { isKeyName, keyIdOf, type NoteVerifier } from './verifier-key.js';

/** Longest note that is read, in UTF-16 units. C2SP asks for room for 16 post-quantum signatures: about 108 kB. */
const MAXIMUM_LENGTH = 256 * 1024;
const MAXIMUM_SIGNATURES = 100;

export interface NoteSignature {
  readonly name: string;
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
}

/** A parsed note. Nothing of it may be believed before a signature of a known key has verified. */
export interface Note {
  /** With its final newline: what is signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface OpenedNote extends Note {
  /** The known keys whose signatures verified; at least one. */
  readonly verifiedBy: readonly NoteVerifier[];
}

/** Text signed by the key as a note (C2SP signed-note). Throws a FormatError for a text or name that notes exclude. */
export function signNote(text: string, signers: readonly { name: string; key: Ed25519PrivateKey }[]): string {
  if (!text.endsWith('\n') || !isPlain(text)) throw new FormatError('The text may not be a note.');
  const lines = signers.map(({ name, key }) => {
    if (!isKeyName(name)) throw new FormatError('The name may not name a key.');
    const signature = concat(keyIdOf(name, key.publicKey.bytes), key.sign(utf8(text)));
    return `— ${name} ${toBase64(signature)}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

/** Takes a note apart without verifying anything. Throws a FormatError for what is no signed note. */
export function parseNote(input: string | Uint8Array): Note {
  if (input.length > MAXIMUM_LENGTH) throw new FormatError('The note is too long.');
  const note = typeof input === 'string' ? input : fromUtf8(input);
  if (!isPlain(note)) throw new FormatError('The note holds characters that notes exclude.');
  // The last empty line separates: the text itself may hold empty lines.
  const split = note.lastIndexOf('\n\n');
  if (split < 0 || !note.endsWith('\n')) throw new FormatError('The note has no signatures.');
  const lines = note.slice(split + 2, -1).split('\n');
  if (lines.length > MAXIMUM_SIGNATURES) throw new FormatError('The note has too many signatures.');
  return { text: note.slice(0, split + 1), signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): NoteSignature {
  const [, name, encoded] = /^— ([^ ]+) ([A-Za-z0-9+/=]+)$/.exec(line) ?? [];
  if (name === undefined || encoded === undefined || !isKeyName(name))
    throw new FormatError('The note has a malformed signature.');
  const bytes = fromBase64(encoded);
  if (bytes.length < 5) throw new FormatError('The note has a malformed signature.');
  return { name, keyId: bytes.subarray(0, 4), signature: bytes.subarray(4) };
}

/**
 * The note, if a known key signed it; null where none did, or where a signature in the name of a known key is wrong.
 * Signatures of unknown keys are passed over. Throws a FormatError for what is no signed note.
 */
export function openNote(input: string | Uint8Array, known: readonly NoteVerifier[]): OpenedNote | null {
  const note = parseNote(input);
  const message = utf8(note.text);
  const verifiedBy: NoteVerifier[] = [];
  for (const { name, keyId, signature } of note.signatures) {
    const verifier = known.find((key) => key.name === name && equal(key.keyId, keyId));
    if (verifier === undefined || verifiedBy.includes(verifier)) continue;
    if (!verifier.publicKey.verify(message, signature)) return null;
    verifiedBy.push(verifier);
  }
  return verifiedBy.length === 0 ? null : { ...note, verifiedBy };
}

/** Valid Unicode without control characters other than newline. */
function isPlain(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not occur.
  return text.isWellFormed() && !/[\u0000-\u0009\u000b-\u001f]/.test(text);
}
