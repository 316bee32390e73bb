import { concat, equal, fromBase64, toBase64, toHex, utf8 } from '../bytes.js';
import { FormatError } from '../format-error.js';
import { type Ed25519PublicKey, ed25519PublicKey, ed25519Spki, sha256 } from '../primitives.js';

/** Signature type of plain Ed25519 notes (C2SP signed-note). */
const ED25519 = 0x01;
const MAXIMUM_LENGTH = 1024;

/** A key that verifies notes, under its name. */
export interface NoteVerifier {
  readonly name: string;
  /** 4 bytes: with the name it says which signature line is this key's. */
  readonly keyId: Uint8Array;
  readonly publicKey: Ed25519PublicKey;
}

/** Whether a text may name a key: not empty, no Unicode spaces, no plus, nothing unprintable (C2SP signed-note). */
export function isKeyName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not occur.
  return name !== '' && name.isWellFormed() && !/[\p{White_Space}+\u0000-\u001f]/u.test(name);
}

/** SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key), first four bytes (C2SP signed-note). */
export function keyIdOf(name: string, publicKey: Uint8Array): Uint8Array {
  return sha256(concat(utf8(`${name}\n`), Uint8Array.of(ED25519), publicKey)).subarray(0, 4);
}

/** @param publicKey 32 bytes. Throws a FormatError where the name may not name a key. */
export function noteVerifier(name: string, publicKey: Uint8Array): NoteVerifier {
  if (!isKeyName(name)) throw new FormatError('The name may not name a key.');
  return { name, keyId: keyIdOf(name, publicKey), publicKey: ed25519PublicKey(publicKey) };
}

/** The verifier key as text, a "vkey": `name+hex(key id)+base64(0x01 ‖ key)`. */
export function formatVerifierKey({ name, keyId, publicKey }: NoteVerifier): string {
  return `${name}+${toHex(keyId)}+${toBase64(concat(Uint8Array.of(ED25519), publicKey.bytes))}`;
}

/** Reads a vkey of Ed25519. Throws a FormatError for everything else. */
export function parseVerifierKey(text: string): NoteVerifier {
  if (text.length > MAXIMUM_LENGTH) throw new FormatError('The verifier key is too long.');
  // The base64 part may hold plus signs, the name and the id may not.
  const [, name, id, material] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text) ?? [];
  if (name === undefined || id === undefined || material === undefined || !isKeyName(name))
    throw new FormatError('The text is not a verifier key.');
  const bytes = fromBase64(material);
  if (bytes[0] !== ED25519 || bytes.length !== 33) throw new FormatError('The verifier key is not Ed25519.');
  const verifier = noteVerifier(name, bytes.subarray(1));
  if (!equal(verifier.keyId, hexBytes(id)))
    throw new FormatError('The verifier key has another id than its key.');
  return verifier;
}

/** `sha256:` and the hexadecimal SHA-256 of the key's SubjectPublicKeyInfo: what an auditor pins. */
export function verifierFingerprint({ publicKey }: NoteVerifier): string {
  return `sha256:${toHex(sha256(ed25519Spki(publicKey.bytes)))}`;
}

function hexBytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
