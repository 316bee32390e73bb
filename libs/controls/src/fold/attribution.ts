import { createPublicKey, type KeyObject } from 'node:crypto';
import { type EventEnvelope, mayPublish, topics } from '@countersign/contracts';
import { eventHash, parseEnvelope, verifyEpochOpened, verifyHash, zeroHash } from '@countersign/ledger';
import type { Finding } from './findings.js';
import type { Leaf } from './leaf.js';
import { isKnownType, type ReadData, readData } from './shapes.js';
import type { Draft, Head } from './state.js';

/** A finding about the leaf at hand, before it becomes a record. */
export interface Problem {
  readonly finding: Finding;
  readonly data?: { readonly [name: string]: string | number | null };
}

/** What is known of a leaf once its chain was checked. */
export interface Attribution {
  /** Null where the leaf is no event at all. */
  readonly envelope: EventEnvelope | null;
  readonly problems: readonly Problem[];
  /** Whether the event is its producer's, in its place: only then may records rest on it. */
  readonly sound: boolean;
}

const ordered = /^\d{1,15}$/;
const mostGaps = 64;

/**
 * Checks a leaf against its producer's chain and advances the chain.
 *
 * An event that is not the next of its chain never moves the chain, lest one forged event disown all that follow; an
 * event beyond the next does, since what is missing may be lost for good.
 */
export function attribute(draft: Draft, leaf: Leaf): Attribution {
  const envelope = readEnvelope(leaf.value);
  if (envelope === null) return reject(null, { finding: 'malformed', data: { reason: 'envelope' } });
  if (leaf.repeats !== undefined) {
    return reject(envelope, { finding: 'repeated-id', data: { first: leaf.repeats } });
  }
  if (leaf.key !== envelope.source || leaf.topic !== topicOf(envelope.source)) {
    return reject(envelope, { finding: 'misplaced', data: { topic: leaf.topic } });
  }
  if (!isKnownType(envelope.type)) {
    return reject(envelope, { finding: 'malformed', data: { reason: 'type' } });
  }
  return envelope.type === 'countersign.epoch.opened.v1'
    ? openEpoch(draft, leaf, envelope as EventEnvelope<'countersign.epoch.opened.v1'>)
    : continueEpoch(draft, leaf, envelope);
}

function openEpoch(
  draft: Draft,
  leaf: Leaf,
  envelope: EventEnvelope<'countersign.epoch.opened.v1'>,
): Attribution {
  const data = readData('countersign.epoch.opened.v1', envelope.data);
  if (data === null) return reject(envelope, { finding: 'malformed', data: { reason: 'data' } });
  const before = draft.heads.get(envelope.source);
  // Epochs are UUIDv7: their order is their age.
  if (before !== undefined && envelope.epoch <= before.epoch) {
    return reject(envelope, {
      finding: envelope.epoch === before.epoch ? 'fork' : 'late',
      data: placeOf(envelope),
    });
  }
  if (envelope.seq !== '0' || envelope.prevhash !== zeroHash) {
    return reject(envelope, { finding: 'broken-chain', data: placeOf(envelope) });
  }
  if (!verifyEpochOpened(envelope, draft.authority)) {
    return reject(envelope, { finding: 'untrusted-epoch', data: placeOf(envelope) });
  }
  const problems = continuity(before, data.previous);
  const hash = eventHash(leaf.value);
  const signed = checkSignature(leaf, data.publicKey, hash);
  if (signed === false) problems.push({ finding: 'signature', data: placeOf(envelope) });
  draft.heads.set(envelope.source, {
    epoch: envelope.epoch,
    publicKey: data.publicKey,
    seq: 0,
    hash,
    index: leaf.index,
    time: envelope.time,
    signed: signed === true ? 0 : -1,
    unrecorded: 0,
    gaps: [],
  });
  return { envelope, problems, sound: true };
}

/** Whether an epoch names the head of the one before as it was seen. */
function continuity(
  before: Head | undefined,
  previous: ReadData['countersign.epoch.opened.v1']['previous'],
): Problem[] {
  if (before === undefined && previous === null) return [];
  if (before === undefined || previous === null || previous.epoch !== before.epoch) {
    const data = { seen: before?.epoch ?? null, named: previous?.epoch ?? null };
    return [{ finding: 'discontinuity', data }];
  }
  const last = Number(previous.seq);
  if (last > before.seq) {
    return [{ finding: 'gap', data: { epoch: before.epoch, from: before.seq + 1, to: last } }];
  }
  if (last < before.seq || previous.hash !== before.hash) {
    return [{ finding: 'fork', data: { epoch: before.epoch, seq: last } }];
  }
  return [];
}

function continueEpoch(draft: Draft, leaf: Leaf, envelope: EventEnvelope): Attribution {
  const head = draft.heads.get(envelope.source);
  if (head === undefined || envelope.epoch > head.epoch || !ordered.test(envelope.seq)) {
    return reject(envelope, { finding: 'unattributed', data: placeOf(envelope) });
  }
  if (envelope.epoch < head.epoch) return reject(envelope, { finding: 'late', data: placeOf(envelope) });
  const seq = Number(envelope.seq);
  if (seq <= head.seq) return fill(draft, head, envelope, seq);
  if (seq === head.seq + 1 && envelope.prevhash !== head.hash) {
    return reject(envelope, { finding: 'broken-chain', data: placeOf(envelope) });
  }
  const problems: Problem[] = [];
  const gaps = [...head.gaps];
  if (seq > head.seq + 1) {
    const missing = { epoch: head.epoch, from: head.seq + 1, to: seq - 1 };
    problems.push({ finding: 'gap', data: missing });
    if (gaps.length < mostGaps) gaps.push([missing.from, missing.to]);
  }
  const hash = eventHash(leaf.value);
  const signed = checkSignature(leaf, head.publicKey, hash);
  if (signed === false) problems.push({ finding: 'signature', data: placeOf(envelope) });
  draft.heads.set(envelope.source, {
    ...head,
    seq,
    hash,
    index: leaf.index,
    time: envelope.time,
    signed: signed === true ? seq : head.signed,
    gaps,
  });
  // Of its chain, and yet not its to say: an approval by the gateway itself, say.
  if (!mayPublish(envelope.source, envelope.type)) {
    problems.push({ finding: 'misplaced', data: { topic: leaf.topic, type: envelope.type } });
    return { envelope, problems, sound: false };
  }
  if (readData(envelope.type, envelope.data) === null) {
    problems.push({ finding: 'malformed', data: { reason: 'data' } });
    return { envelope, problems, sound: false };
  }
  return { envelope, problems, sound: true };
}

/** An event behind the head fills a gap, late, or uses a place for the second time. */
function fill(draft: Draft, head: Head, envelope: EventEnvelope, seq: number): Attribution {
  const gap = head.gaps.find(([from, to]) => from <= seq && seq <= to);
  if (gap === undefined) return reject(envelope, { finding: 'fork', data: placeOf(envelope) });
  const rest = [
    [gap[0], seq - 1],
    [seq + 1, gap[1]],
  ] as const;
  const gaps = head.gaps
    .flatMap((other) => (other === gap ? rest.filter(([from, to]) => from <= to) : [other]))
    .slice(0, mostGaps);
  draft.heads.set(envelope.source, { ...head, gaps });
  return reject(envelope, { finding: 'late', data: placeOf(envelope) });
}

function reject(envelope: EventEnvelope | null, problem: Problem): Attribution {
  return { envelope, problems: [problem], sound: false };
}

function placeOf(envelope: EventEnvelope): { readonly epoch: string; readonly seq: string } {
  return { epoch: envelope.epoch, seq: envelope.seq };
}

function topicOf(source: string): string | null {
  const service = source.split('/')[1] ?? '';
  return Object.hasOwn(topics, service) ? topics[service as keyof typeof topics] : null;
}

function readEnvelope(value: Uint8Array): EventEnvelope | null {
  try {
    return parseEnvelope(value);
  } catch {
    return null;
  }
}

/** Null where there is no signature. Ed25519 (RFC 8032) over the 32 bytes of the event's SHA-256. */
function checkSignature(leaf: Leaf, publicKey: string, hash: string): boolean | null {
  if (leaf.signature === null) return null;
  const key = keyOf(publicKey);
  return key !== null && verifyHash(hash, leaf.signature, key);
}

// Reading PEM costs as much as a verification; a cache of a function's results leaves it a function.
const keys = new Map<string, KeyObject | null>();

function keyOf(publicKey: string): KeyObject | null {
  const known = keys.get(publicKey);
  if (known !== undefined) return known;
  const key = readKey(publicKey);
  if (keys.size >= 256) keys.clear();
  keys.set(publicKey, key);
  return key;
}

function readKey(publicKey: string): KeyObject | null {
  try {
    const key = createPublicKey(publicKey);
    return key.asymmetricKeyType === 'ed25519' ? key : null;
  } catch {
    return null;
  }
}
