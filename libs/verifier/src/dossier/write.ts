import { toBase64 } from '@countersign/transparency';
import { limits } from './limits.js';
import { DOSSIER_FORMAT, type DossierEvent, type DossierManifest, formatLine } from './line.js';

type Source<Item> = AsyncIterable<Item> | Iterable<Item>;

/** What goes into a dossier, as streams: nothing is held but 256 leaf hashes. */
export interface DossierContent {
  readonly manifest: Omit<DossierManifest, 'kind' | 'format'>;
  /** Signed notes, ascending by tree size; the last is of the manifest's tree size. */
  readonly checkpoints: Source<string>;
  /** Hash of every leaf, 32 bytes each, in the tree's order. */
  readonly leafHashes: Source<Uint8Array>;
  readonly policies: Source<{ readonly policyDigest: string; readonly bundle: Uint8Array }>;
  /** Every leaf's event, in the tree's order. */
  readonly events: Source<Omit<DossierEvent, 'kind'>>;
  /** Canonical JSON of every record in fold order, then of the findings as of the last checkpoint. */
  readonly records: Source<string>;
}

/** The lines of a dossier, each with its newline. */
export async function* writeDossier(content: DossierContent): AsyncGenerator<string> {
  let lines = 0;
  for await (const line of linesOf(content)) {
    lines += 1;
    yield line;
  }
  yield formatLine({ kind: 'end', lines });
}

async function* linesOf(content: DossierContent): AsyncGenerator<string> {
  yield formatLine({ kind: 'manifest', format: DOSSIER_FORMAT, ...content.manifest });
  for await (const note of content.checkpoints) yield formatLine({ kind: 'checkpoint', note });
  yield* leafHashLines(content.leafHashes);
  for await (const { policyDigest, bundle } of content.policies)
    yield formatLine({ kind: 'policy', policyDigest, bundle: toBase64(bundle) });
  for await (const event of content.events) yield formatLine({ kind: 'event', ...event });
  for await (const value of content.records) yield formatLine({ kind: 'record', value });
}

async function* leafHashLines(leafHashes: Source<Uint8Array>): AsyncGenerator<string> {
  let start = 0;
  let hashes: string[] = [];
  for await (const hash of leafHashes) {
    hashes.push(toBase64(hash));
    if (hashes.length < limits.hashes) continue;
    yield formatLine({ kind: 'leaf-hashes', start, hashes });
    start += hashes.length;
    hashes = [];
  }
  if (hashes.length > 0) yield formatLine({ kind: 'leaf-hashes', start, hashes });
}
