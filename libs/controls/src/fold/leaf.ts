/** A leaf of the evidence log as the fold takes it: a record of the event log in the log's one total order. */
export interface Leaf {
  /** From 0, without gaps. */
  readonly index: number;
  readonly topic: string;
  /** Key of the record: the producer's source. */
  readonly key: string;
  /** The exact bytes that the tree holds. */
  readonly value: Uint8Array;
  /** Ed25519 signature over SHA-256(value); null inside a batch. */
  readonly signature: Uint8Array | null;
  /**
   * Index of the first leaf with the same event id and other bytes; absent for the first. Ids are without bound and the
   * fold's state is not, so whoever holds all leaves says it: evidence from its index, a verifier from the dossier.
   */
  readonly repeats?: number;
}
