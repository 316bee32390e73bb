import { z } from 'zod';
import { limits } from './limits.js';

/** Name and version of the format, in every manifest. */
export const DOSSIER_FORMAT = 'countersign-dossier/1';

const index = z.int().min(0);
const base64 = z.base64();
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const shortText = z.string().min(1).max(1024);

const manifest = z.strictObject({
  kind: z.literal('manifest'),
  format: z.literal(DOSSIER_FORMAT),
  /** Origin of the log: first line of its checkpoints and name of its key. */
  origin: shortText,
  /** Leaves of the tree that the dossier shows: all of them. */
  treeSize: index,
  /** Version of the fold that made the records. */
  foldVersion: shortText,
  /** RFC 3339, UTC. Informative: nothing vouches for it. */
  createdAt: z.iso.datetime(),
  /** The checkpoint key as C2SP vkey. */
  verifierKey: shortText,
  /** PEM of the deployment's certificate authority. */
  authority: z.string().max(limits.certificate),
  /** PEM of the checkpoint key's certificate, issued by the authority. */
  checkpointCertificate: z.string().max(limits.certificate),
});

const checkpoint = z.strictObject({ kind: z.literal('checkpoint'), note: z.string().max(limits.note) });

const leafHashes = z.strictObject({
  kind: z.literal('leaf-hashes'),
  /** Index of the first leaf. */
  start: index,
  hashes: z.array(base64.length(44)).min(1).max(limits.hashes),
});

const policy = z.strictObject({ kind: z.literal('policy'), policyDigest: digest, bundle: base64 });

const event = z.strictObject({
  kind: z.literal('event'),
  /** Index of the event's leaf. */
  index,
  topic: shortText,
  key: shortText,
  /** The exact text that was hashed, signed and stored. */
  value: z.string().max(limits.event),
  /** Ed25519 over the 32 bytes of the SHA-256 of the value; only on the last record of an appended batch. */
  signature: base64.length(88).nullable(),
});

const record = z.strictObject({
  kind: z.literal('record'),
  /** RFC 8785 canonical JSON of an EvidenceRecord. */
  value: z.string().max(limits.record),
});

const end = z.strictObject({
  kind: z.literal('end'),
  /** Lines before this one. */
  lines: index,
});

const line = z.discriminatedUnion('kind', [manifest, checkpoint, leafHashes, policy, event, record, end]);

export type DossierManifest = z.infer<typeof manifest>;
export type DossierCheckpoint = z.infer<typeof checkpoint>;
export type DossierLeafHashes = z.infer<typeof leafHashes>;
export type DossierPolicy = z.infer<typeof policy>;
export type DossierEvent = z.infer<typeof event>;
export type DossierRecord = z.infer<typeof record>;
export type DossierEnd = z.infer<typeof end>;
export type DossierLine = z.infer<typeof line>;
export type DossierKind = DossierLine['kind'];

/** The order of kinds: each line's place is at or after that of the line before. */
export const kinds: readonly DossierKind[] = [
  'manifest',
  'checkpoint',
  'leaf-hashes',
  'policy',
  'event',
  'record',
  'end',
];

/** A dossier that cannot be read. The message says what is wrong and holds nothing of the content. */
export class DossierError extends Error {
  override readonly name = 'DossierError';
  /** Number of the line, from 1. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** A line that is not JSON: as the last line, it is where a dossier was cut. */
export class TornLineError extends DossierError {}

/** Reads one line. Throws a DossierError for everything that is no line of a dossier. */
export function parseLine(text: string, number: number): DossierLine {
  if (text.length > limits.line) throw new DossierError(number, 'The line is longer than a line may be.');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new TornLineError(number, 'The line is not JSON.');
  }
  // One text for one content: no member twice, nothing between tokens that another reader might take otherwise.
  if (JSON.stringify(json) !== text)
    throw new DossierError(number, 'The line is not written as a dossier’s.');
  const parsed = line.safeParse(json);
  if (!parsed.success) {
    const where = parsed.error.issues[0]?.path.join('.') ?? '';
    throw new DossierError(
      number,
      where === ''
        ? 'The line is of no known kind.'
        : `The field ${where.slice(0, 64)} is not as it must be.`,
    );
  }
  return parsed.data;
}

/** The text of a line, with its newline. */
export function formatLine(line: DossierLine): string {
  return `${JSON.stringify(line)}\n`;
}
