import {
  appendLeaves,
  type Checkpoint,
  emptyFrontier,
  equal,
  FormatError,
  type Frontier,
  fromBase64,
  frontierRoot,
  type NoteVerifier,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  toBase64,
} from '@countersign/transparency';
import type { DossierCheckpoint, DossierLeafHashes, DossierManifest } from '../dossier/index.js';
import type { Findings } from '../report/index.js';
import { HashList } from '../sequence/index.js';

interface SeenCheckpoint {
  readonly size: number;
  readonly root: Uint8Array;
  /** Whether the checkpoint key signed it. */
  readonly signed: boolean;
}

/** Checkpoints and retained leaf hashes: the tree as the log says it is. */
export class TreeCheck {
  /** Retained hash of every leaf. */
  readonly leafHashes = new HashList();
  readonly #manifest: DossierManifest;
  readonly #log: NoteVerifier | null;
  readonly #findings: Findings;
  readonly #checkpoints: SeenCheckpoint[] = [];
  #frontier: Frontier = emptyFrontier;
  #compared = 0;
  /** Size of the largest checkpoint whose root was found again. */
  #sound = 0;
  #rootFailed = false;
  checkpointLines = 0;

  constructor(manifest: DossierManifest, log: NoteVerifier | null, findings: Findings) {
    this.#manifest = manifest;
    this.#log = log;
    this.#findings = findings;
  }

  addCheckpoint({ note }: DossierCheckpoint, line: number): void {
    this.checkpointLines += 1;
    const checkpoint = this.#read(note, line);
    if (checkpoint === null) return;
    const before = this.#checkpoints.at(-1);
    const forks = before?.size === checkpoint.size && !equal(before.root, checkpoint.root);
    if (before !== undefined && (checkpoint.size < before.size || forks)) {
      const sentence = forks
        ? `Two checkpoints of size ${checkpoint.size} have different roots: the log was forked.`
        : `The checkpoint of size ${checkpoint.size} comes after one of size ${before.size}.`;
      this.#findings.add('checkpoint.order', { line, checkpoint: checkpoint.size }, sentence);
      return;
    }
    this.#checkpoints.push(checkpoint);
  }

  addLeafHashes({ start, hashes }: DossierLeafHashes, line: number): void {
    if (start !== this.leafHashes.length)
      this.#findings.add(
        'tree.size',
        { line, leaves: { from: this.leafHashes.length, to: start } },
        `Retained leaf hashes go on at ${start} where ${this.leafHashes.length} is next.`,
      );
    for (const text of hashes) {
      const hash = fromBase64(text);
      this.#compareUpTo(this.leafHashes.length);
      this.leafHashes.push(hash);
      this.#frontier = appendLeaves(this.#frontier, [hash]);
    }
  }

  /** Once all leaf hashes are there. */
  finish(): void {
    const { treeSize } = this.#manifest;
    this.#compareUpTo(this.leafHashes.length);
    if (this.leafHashes.length !== treeSize)
      this.#findings.add(
        'tree.size',
        {
          leaves: {
            from: Math.min(this.leafHashes.length, treeSize),
            to: Math.max(this.leafHashes.length, treeSize),
          },
        },
        `The manifest names a tree of ${treeSize} leaves, and ${this.leafHashes.length} leaf hashes are there.`,
      );
    const last = this.#checkpoints.at(-1);
    if (last === undefined)
      this.#findings.add(
        'checkpoint.missing',
        {},
        'There is no checkpoint, so nothing vouches for the whole.',
      );
    else if (last.size !== treeSize)
      this.#findings.add(
        'checkpoint.size',
        { checkpoint: last.size },
        `The last checkpoint is of ${last.size} leaves, the dossier claims ${treeSize}.`,
      );
    if (last !== undefined && last.size > this.leafHashes.length && !this.#rootFailed)
      this.#findings.add(
        'tree.root',
        { checkpoint: last.size, leaves: { from: this.#sound, to: last.size - 1 } },
        `The checkpoint of size ${last.size} cannot be reached: there are only ${this.leafHashes.length} leaf hashes.`,
      );
  }

  /** Base64 root of the largest checkpoint that is signed and was found again. */
  get root(): string | null {
    const sound = this.#checkpoints.findLast(({ size, signed }) => signed && size === this.#sound);
    return sound === undefined || this.#compared === 0 ? null : toBase64(sound.root);
  }

  #read(note: string, line: number): SeenCheckpoint | null {
    try {
      const checkpoint: Checkpoint = parseCheckpoint(parseNote(note).text);
      const signed = this.#log !== null && openCheckpoint(note, this.#log) !== null;
      if (!signed)
        this.#findings.add(
          'checkpoint.signature',
          { line, checkpoint: checkpoint.size },
          `The checkpoint of size ${checkpoint.size} is not signed by the log’s key.`,
        );
      return { size: checkpoint.size, root: checkpoint.root, signed };
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.#findings.add('checkpoint.malformed', { line }, `The checkpoint cannot be read. ${error.message}`);
      return null;
    }
  }

  /** Compares the roots of the checkpoints up to `size`, the current size of the tree. */
  #compareUpTo(size: number): void {
    for (;;) {
      const checkpoint = this.#checkpoints[this.#compared];
      if (checkpoint === undefined || checkpoint.size > size) return;
      this.#compared += 1;
      if (equal(frontierRoot(this.#frontier), checkpoint.root)) this.#sound = checkpoint.size;
      // Every later root fails with the first: it says nothing new.
      else if (!this.#rootFailed) {
        this.#rootFailed = true;
        this.#findings.add(
          'tree.root',
          {
            checkpoint: checkpoint.size,
            leaves: { from: this.#sound, to: Math.max(this.#sound, checkpoint.size - 1) },
          },
          `The leaf hashes do not give the root of the checkpoint of size ${checkpoint.size}: at least one leaf from ${this.#sound} to ${checkpoint.size - 1} is not the one that was logged.`,
        );
      }
    }
  }
}
