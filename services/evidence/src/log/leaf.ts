import type { Leaf } from '@countersign/controls';

/** A leaf as the store keeps it. */
export interface StoredLeaf extends Leaf {
  readonly eventId: string;
  /** SHA-256 of the bytes that the event log gave. */
  readonly hash: Uint8Array;
}
