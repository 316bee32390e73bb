import { CountersignError } from '@countersign/errors';
import type { EventRecord } from './event-log.js';

/** Bytes of a record's value: the longest entry of a C2SP tile bundle, whose length has 16 bits. */
export const MAX_VALUE_BYTES = 65_535;
/** Characters of a key. */
export const MAX_KEY_LENGTH = 255;
/** Bytes of a signature. */
export const MAX_SIGNATURE_BYTES = 1_024;
/** Records of one append. */
export const MAX_RECORDS = 4_096;
/** Bytes of all values of one append. */
export const MAX_APPEND_BYTES = 8 * 1024 * 1024;

// Kafka's rule for topic names.
const TOPIC = /^[a-zA-Z0-9._-]{1,249}$/;
// Neither driver should have to carry control characters; PostgreSQL cannot carry NUL.
const KEY = /^[\x20-\x7e]{1,255}$/;

function refuse(detail: string): never {
  throw new CountersignError('recording.invalid', { detail });
}

export function checkTopic(topic: string): void {
  if (!TOPIC.test(topic)) refuse('The topic is not a valid name.');
}

export function checkKey(key: string): void {
  if (!KEY.test(key)) refuse(`A key has 1 to ${MAX_KEY_LENGTH} printable ASCII characters.`);
}

/** Throws `recording.invalid` where no driver would take the append; nothing was written then. Returns its bytes. */
export function checkAppend(topic: string, records: readonly EventRecord[]): number {
  checkTopic(topic);
  if (records.length > MAX_RECORDS) refuse(`An append has at most ${MAX_RECORDS} records.`);
  let bytes = 0;
  for (const record of records) {
    checkKey(record.key);
    if (record.value.length === 0 || record.value.length > MAX_VALUE_BYTES) {
      refuse(`A value has 1 to ${MAX_VALUE_BYTES} bytes.`);
    }
    if (record.signature !== null && record.signature.length > MAX_SIGNATURE_BYTES) {
      refuse(`A signature has at most ${MAX_SIGNATURE_BYTES} bytes.`);
    }
    bytes += record.value.length;
  }
  if (bytes > MAX_APPEND_BYTES) refuse(`An append has at most ${MAX_APPEND_BYTES} bytes.`);
  return bytes;
}
