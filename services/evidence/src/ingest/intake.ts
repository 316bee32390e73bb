import { createHash } from 'node:crypto';
import { type EventEnvelope, topics } from '@countersign/contracts';
import type { StoredRecord } from '@countersign/event-log';
import { parseEnvelope } from '@countersign/ledger';
import { MAXIMUM_ENTRY_LENGTH } from '@countersign/transparency';

/** A record of the event log, made ready to be a leaf. */
export interface Candidate {
  /** The event's id; for what is no event, the digest of its bytes. */
  readonly eventId: string;
  readonly topic: string;
  readonly key: string;
  /** What the tree will hold: the record's bytes, or a statement in their place. */
  readonly value: Uint8Array;
  /** SHA-256 of the record's bytes as the event log gave them. */
  readonly hash: Uint8Array;
  readonly signature: Uint8Array | null;
  /** The event's time, milliseconds since 1970; null for what is no event. */
  readonly time: number | null;
  /** The finding that this event of evidence's own announces; null for every other. */
  readonly announces: string | null;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const signatureLength = 64;
const mostKey = 512;

/**
 * Makes a leaf of whatever the event log holds. Nothing is turned away: what a leaf or a dossier cannot carry (too long
 * for an entry, not UTF-8) is stood for by a statement of its length and digest, which the fold then finds malformed.
 */
export function takeIn(record: StoredRecord): Candidate {
  const hash = createHash('sha256').update(record.value).digest();
  const reason = unreadable(record.value);
  const value = reason === null ? record.value : standIn(reason, record.value.length, hash);
  const envelope = reason === null ? readEnvelope(record.value) : null;
  return {
    eventId: envelope !== null && isPlain(envelope.id) ? envelope.id : `sha256:${hash.toString('hex')}`,
    topic: record.topic,
    key: isPlain(record.key) ? record.key : `sha256:${createHash('sha256').update(record.key).digest('hex')}`,
    value,
    hash,
    signature: normalSignature(record.signature),
    time: envelope === null ? null : Date.parse(envelope.time),
    announces: record.topic === topics.evidence ? announcedBy(envelope) : null,
  };
}

function unreadable(value: Uint8Array): 'too-large' | 'not-utf8' | null {
  if (value.length > MAXIMUM_ENTRY_LENGTH) return 'too-large';
  try {
    utf8.decode(value);
    return null;
  } catch {
    return 'not-utf8';
  }
}

function standIn(reason: string, length: number, hash: Buffer): Uint8Array {
  const digest = `sha256:${hash.toString('hex')}`;
  return Buffer.from(JSON.stringify({ countersign: 'unreadable', reason, length, digest }));
}

function readEnvelope(value: Uint8Array): EventEnvelope | null {
  try {
    return parseEnvelope(value);
  } catch {
    return null;
  }
}

function announcedBy(envelope: EventEnvelope | null): string | null {
  if (envelope?.type !== 'countersign.evidence.finding.v1') return null;
  const data: unknown = envelope.data;
  const known = typeof data === 'object' && data !== null && 'record' in data ? data.record : null;
  return typeof known === 'string' && isPlain(known) ? known : null;
}

/** A signature of another length cannot verify; neither can zeros, which have the length that stores expect. */
function normalSignature(signature: Uint8Array | null): Uint8Array | null {
  if (signature === null || signature.length === signatureLength) return signature;
  return new Uint8Array(signatureLength);
}

/** What text columns and dossiers carry as it is. */
function isPlain(text: string): boolean {
  return text !== '' && text.length <= mostKey && text.isWellFormed() && !/\p{Cc}/u.test(text);
}
