import type { EvidenceRecord, Leaf } from '@countersign/controls';
import { CountersignError } from '@countersign/errors';
import { type HashReader, leafHash, proveInclusion, toBase64 } from '@countersign/transparency';

/** An event that a record rests on, with the proof that the checkpoint's tree holds it. */
export interface ProvenEvent {
  readonly index: number;
  readonly topic: string;
  readonly key: string;
  /** The exact text: the leaf's bytes as UTF-8. */
  readonly value: string;
  /** Base64; null inside a batch. */
  readonly signature: string | null;
  /** Base64 of SHA-256(0x00 ‖ value) (RFC 9162 section 2.1.1). */
  readonly leafHash: string;
  /** Base64 hashes of the inclusion proof (RFC 9162 section 2.1.3). */
  readonly proof: readonly string[];
}

export interface ProvenRecord {
  readonly record: EvidenceRecord;
  /** The signed note that the proofs lead to (C2SP tlog-checkpoint). */
  readonly checkpoint: string;
  readonly treeSize: number;
  readonly events: readonly ProvenEvent[];
}

/**
 * A record with what proves it.
 * Throws evidence.not_ready where the checkpoint does not cover one of its events yet.
 */
export async function proveRecord(
  record: EvidenceRecord,
  leaves: readonly Leaf[],
  checkpoint: { readonly size: number; readonly note: string },
  read: HashReader,
): Promise<ProvenRecord> {
  if (record.indexes.some((index) => index >= checkpoint.size))
    throw new CountersignError('evidence.not_ready');
  const events: ProvenEvent[] = [];
  // One after the other: they share a connection.
  for (const { index, topic, key, value, signature } of leaves) {
    events.push({
      index,
      topic,
      key,
      value: new TextDecoder('utf-8', { ignoreBOM: true }).decode(value),
      signature: signature === null ? null : toBase64(signature),
      leafHash: toBase64(leafHash(value)),
      proof: (await proveInclusion(index, checkpoint.size, read)).map(toBase64),
    });
  }
  return { record, checkpoint: checkpoint.note, treeSize: checkpoint.size, events };
}
