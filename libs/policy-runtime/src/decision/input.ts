import { canonicalJson } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';

/** Bytes of a policy input as canonical JSON. */
export const inputLimit = 64 * 1024;
/** Levels of nesting; a well-formed input has five. */
const depthLimit = 16;

/**
 * The canonical JSON text (RFC 8785) of an input. Whatever the policy's engine would read differently from this text
 * is refused here: whole numbers above 2^53, halves of surrogate pairs, deep nesting.
 * @throws request.invalid, request.too_large
 */
export function inputText(input: unknown): string {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) throw refused('It is no object.');
  checkValue(input, 0);
  let text: string;
  try {
    text = canonicalJson(input);
  } catch (cause) {
    throw refused('It has no canonical form.', cause);
  }
  if (Buffer.byteLength(text) > inputLimit) {
    throw new CountersignError('request.too_large', { detail: 'A policy input has at most 64 KiB.' });
  }
  return text;
}

/**
 * Reads an input that claims to be canonical JSON already, as it crosses between services.
 * @throws request.invalid, request.too_large
 */
export function readInput(bytes: Uint8Array): string {
  if (bytes.length > inputLimit) {
    throw new CountersignError('request.too_large', { detail: 'A policy input has at most 64 KiB.' });
  }
  let sent: string;
  let input: unknown;
  try {
    sent = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    input = JSON.parse(sent);
  } catch (cause) {
    throw refused('It is no JSON text.', cause);
  }
  if (inputText(input) !== sent) throw refused('It is not in canonical form (RFC 8785).');
  return sent;
}

function checkValue(value: unknown, depth: number): void {
  if (depth > depthLimit) throw refused('It is nested too deeply.');
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw refused('It holds text that is not valid Unicode.');
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
      throw refused('It holds a number that would lose precision.');
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      checkValue(key, depth);
      checkValue(item, depth + 1);
    }
  }
}

function refused(detail: string, cause?: unknown): CountersignError {
  return new CountersignError('request.invalid', { detail: `The policy input is refused. ${detail}`, cause });
}
