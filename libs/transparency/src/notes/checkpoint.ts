import { fromBase64, toBase64 } from '../bytes.js';
import { FormatError } from '../format-error.js';
import type { Ed25519PrivateKey } from '../primitives.js';
import { HASH_LENGTH } from '../tree/index.js';
import { openNote, signNote } from './note.js';
import type { NoteVerifier } from './verifier-key.js';

/** The head of a log (C2SP tlog-checkpoint). */
export interface Checkpoint {
  /** Identity of the log, also the name of its key. */
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** Lines that follow; opaque. */
  readonly extensions: readonly string[];
}

/** The text of a checkpoint, to be signed as a note. Throws a FormatError for what no checkpoint may say. */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  const text = `${[origin, String(size), toBase64(root), ...extensions].join('\n')}\n`;
  // What was not written for itself would be read as something else.
  const read = parseCheckpoint(text);
  if (read.origin !== origin || read.extensions.length !== extensions.length)
    throw new FormatError('A line of the checkpoint holds a newline.');
  return text;
}

/** Reads the text of a checkpoint, without its signatures. Throws a FormatError for everything else. */
export function parseCheckpoint(text: string): Checkpoint {
  if (!text.endsWith('\n')) throw new FormatError('The checkpoint does not end its last line.');
  const [origin, size, root, ...extensions] = text.slice(0, -1).split('\n');
  if (origin === undefined || size === undefined || root === undefined)
    throw new FormatError('The checkpoint has fewer than three lines.');
  if (origin === '' || extensions.includes('')) throw new FormatError('The checkpoint has an empty line.');
  if (!/^(?:0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size)))
    throw new FormatError('The checkpoint has no tree size.');
  const hash = fromBase64(root);
  if (hash.length !== HASH_LENGTH) throw new FormatError('The checkpoint has no root hash.');
  return { origin, size: Number(size), root: hash, extensions };
}

/** A signed checkpoint; the key's name is the origin. Throws a FormatError for what no checkpoint may say. */
export function signCheckpoint(checkpoint: Checkpoint, key: Ed25519PrivateKey): string {
  return signNote(formatCheckpoint(checkpoint), [{ name: checkpoint.origin, key }]);
}

/**
 * The checkpoint that a note carries, if the log's key signed it for that origin, which is the key's name; null
 * otherwise. Throws a FormatError for what is no signed checkpoint.
 */
export function openCheckpoint(note: string | Uint8Array, log: NoteVerifier): Checkpoint | null {
  const opened = openNote(note, [log]);
  if (opened === null) return null;
  const checkpoint = parseCheckpoint(opened.text);
  return checkpoint.origin === log.name ? checkpoint : null;
}
