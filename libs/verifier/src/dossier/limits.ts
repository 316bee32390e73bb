/**
 * Limits of a dossier. A reader refuses what exceeds them, so that a hostile dossier costs bounded memory; a writer
 * never exceeds them.
 */
export const limits = {
  /** UTF-16 units of one line, without its newline. */
  line: 16 * 1024 * 1024,
  /** UTF-8 bytes of an event: what an entry of the tree can hold (C2SP tlog-tiles). */
  event: 0xffff,
  /** UTF-16 units of one evidence record. */
  record: 1024 * 1024,
  /** Leaf hashes of one line. */
  hashes: 256,
  /** UTF-16 units of one signed note. */
  note: 256 * 1024,
  /** UTF-16 units of one PEM certificate. */
  certificate: 64 * 1024,
  /** Checkpoints of one dossier. */
  checkpoints: 100_000,
  /** Policy bundles of one dossier, and their bytes taken together. */
  policies: 1000,
  policyBytes: 256 * 1024 * 1024,
} as const;
