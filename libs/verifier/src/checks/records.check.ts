import {
  type FoldState,
  findingsAsOf,
  foldAll,
  foldVersion,
  initialFold,
  type Leaf,
  recordText,
} from '@countersign/controls';
import { sha256 } from '@countersign/transparency';
import type { DossierManifest, DossierRecord } from '../dossier/index.js';
import type { Findings, Where } from '../report/index.js';
import { Aligner, type Discrepancy, HashList } from '../sequence/index.js';

/** Leaves folded at once: thawing and freezing the state costs as much as what is open, whatever the number of leaves. */
const BATCH = 512;
const encoder = new TextEncoder();

/** Folds the events again, and compares the records byte for byte. */
export class RecordsCheck {
  readonly #findings: Findings;
  readonly #expected = new HashList();
  /** Leaf of each expected record, to say what a missing one was about. */
  #leaves = new Uint32Array(1024);
  #state: FoldState;
  #pending: Leaf[] = [];
  #aligner: Aligner<Where> | null = null;
  /** Whether the records were made by the version of the fold that is here. */
  readonly known: boolean;

  constructor(manifest: DossierManifest, findings: Findings) {
    this.#findings = findings;
    this.#state = initialFold(manifest.authority);
    this.known = manifest.foldVersion === foldVersion;
    if (!this.known)
      findings.add(
        'form.unknown-fold',
        { line: 1 },
        `The records were made by ${manifest.foldVersion}; this verifier has ${foldVersion} and cannot make them again.`,
      );
  }

  /** Records that the events give. */
  get expected(): number {
    return this.#expected.length;
  }

  addLeaf(leaf: Leaf): void {
    if (!this.known) return;
    this.#pending.push(leaf);
    if (this.#pending.length >= BATCH) this.#fold();
  }

  /** Once all events were added. */
  finishLeaves(): void {
    if (!this.known) return;
    this.#fold();
    for (const record of findingsAsOf(this.#state, this.#state.size))
      this.#expect(recordText(record), record.index);
    this.#aligner = new Aligner<Where>(this.#expected);
  }

  addRecord({ value }: DossierRecord, line: number): void {
    this.#aligner?.offer(sha256(encoder.encode(value)), () => describe(value, line));
  }

  /** Once all records were added. */
  finish(): void {
    if (this.#aligner === null) return;
    const { discrepancies, complete } = this.#aligner.finish();
    const [first] = discrepancies;
    if (first !== undefined && this.#unfounded()) {
      const count = `${complete ? '' : 'At least '}${discrepancies.length}`;
      this.#findings.add(
        'record.unfounded',
        this.#whereOf(first),
        `${count} place${discrepancies.length === 1 ? '' : 's'} in the records differ${discrepancies.length === 1 ? 's' : ''} from what these events give, as must be where events were changed.`,
      );
      return;
    }
    for (const discrepancy of discrepancies) this.#report(discrepancy);
    if (!complete)
      this.#findings.add(
        'record.too-different',
        {},
        'Records and events differ too much to tell changed, missing and added records apart.',
      );
  }

  /** Whether the events are known to be others than those that the records were made of. */
  #unfounded(): boolean {
    const checks = ['tree', 'leaves', 'producers', 'chains', 'signatures'] as const;
    return checks.some((check) => this.#findings.count({ check, severity: 'error' }) > 0);
  }

  #whereOf(found: Discrepancy<Where>): Where {
    return found.kind === 'missing'
      ? { index: this.#leaves[found.from] ?? 0 }
      : { ...found.item, ...('from' in found ? { index: this.#leaves[found.from] ?? 0 } : {}) };
  }

  #fold(): void {
    const { state, records } = foldAll(this.#state, this.#pending);
    this.#state = state;
    this.#pending = [];
    for (const record of records) this.#expect(recordText(record), record.index);
  }

  #expect(text: string, leaf: number): void {
    if (this.#expected.length >= this.#leaves.length) {
      const grown = new Uint32Array(this.#leaves.length * 2);
      grown.set(this.#leaves);
      this.#leaves = grown;
    }
    this.#leaves[this.#expected.length] = leaf;
    this.#expected.push(sha256(encoder.encode(text)));
  }

  #report(found: Discrepancy<Where>): void {
    if (found.kind === 'missing') {
      const from = this.#leaves[found.from] ?? 0;
      const to = this.#leaves[found.to] ?? 0;
      const count = found.to - found.from + 1;
      this.#findings.add(
        'record.missing',
        from === to ? { index: from } : { leaves: { from, to } },
        `${count === 1 ? 'A record' : `${count} records`} about event index ${from === to ? from : `${from} to ${to}`} ${count === 1 ? 'is' : 'are'} missing.`,
      );
      return;
    }
    const { item } = found;
    const about = 'from' in found ? (this.#leaves[found.from] ?? 0) : undefined;
    const sentences = {
      changed: `Record ${item.record} is not the one that event index ${about} gives.`,
      added: `Record ${item.record} is none that the events give.`,
      moved: `Record ${item.record}, about event index ${about}, stands in another place.`,
      repeated: `Record ${item.record}, about event index ${about}, is there once more.`,
    };
    this.#findings.add(`record.${found.kind}`, this.#whereOf(found), sentences[found.kind]);
  }
}

function describe(value: string, line: number): Where {
  let id: unknown;
  try {
    id = (JSON.parse(value) as { id?: unknown } | null)?.id;
  } catch {
    id = undefined;
  }
  return { line, record: typeof id === 'string' ? id.slice(0, 256) : `of line ${line}` };
}
