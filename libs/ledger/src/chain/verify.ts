import { createPublicKey } from 'node:crypto';
import type { EventEnvelope } from '@countersign/contracts';
import { parseEnvelope } from '../envelope/index.js';
import { eventHash, zeroHash } from './seal.js';
import { verifyHash } from './signature.js';

export interface ChainRecord {
  readonly value: Uint8Array;
  readonly signature: Uint8Array | null;
}

export interface ChainFault {
  /** Position among the records given. */
  readonly index: number;
  readonly fault: 'malformed' | 'other-epoch' | 'sequence' | 'previous-hash' | 'opening' | 'signature';
}

export interface ChainReport {
  /** First fault, or null. What follows a fault is not judged. */
  readonly fault: ChainFault | null;
  /** How many records the last valid signature covers. */
  readonly signed: number;
}

/** Checks one epoch from its event 0: shape, sequence without gaps, hashes, and each batch signature. */
export function verifyChain(records: readonly ChainRecord[]): ChainReport {
  let previous = zeroHash;
  let epoch: string | undefined;
  let source: string | undefined;
  let key: ReturnType<typeof createPublicKey> | undefined;
  let signed = 0;
  for (const [index, record] of records.entries()) {
    const stop = (fault: ChainFault['fault']): ChainReport => ({ fault: { index, fault }, signed });
    let envelope: EventEnvelope;
    try {
      envelope = parseEnvelope(record.value);
    } catch {
      return stop('malformed');
    }
    epoch ??= envelope.epoch;
    source ??= envelope.source;
    if (envelope.epoch !== epoch || envelope.source !== source) return stop('other-epoch');
    if (envelope.seq !== String(index)) return stop('sequence');
    if (envelope.prevhash !== previous) return stop('previous-hash');
    if (index === 0) {
      if (envelope.type !== 'countersign.epoch.opened.v1') return stop('opening');
      try {
        key = createPublicKey((envelope as EventEnvelope<'countersign.epoch.opened.v1'>).data.publicKey);
      } catch {
        return stop('opening');
      }
    }
    previous = eventHash(record.value);
    if (record.signature !== null) {
      if (key === undefined || !verifyHash(previous, record.signature, key)) return stop('signature');
      signed = index + 1;
    }
  }
  return { fault: null, signed };
}
