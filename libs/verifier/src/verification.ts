import { parseEnvelope } from '@countersign/ledger';
import { FormatError, fromBase64, leafHash, sha256, toHex } from '@countersign/transparency';
import {
  ChainsCheck,
  checkTrust,
  LeavesCheck,
  PoliciesCheck,
  RecordsCheck,
  type SeenEvent,
  TreeCheck,
  type Trust,
} from './checks/index.js';
import {
  DossierError,
  type DossierEvent,
  type DossierKind,
  type DossierManifest,
  dossierKinds,
  type NumberedLine,
} from './dossier/index.js';
import type { PolicyRunner } from './policy/index.js';
import type { Findings } from './report/index.js';
import { IdIndex } from './sequence/index.js';

const encoder = new TextEncoder();

export interface Progress {
  readonly stage: DossierKind;
  readonly lines: number;
  readonly events: number;
  /** Events that the manifest announces. */
  readonly ofEvents: number;
}

/** The state of one verification. */
export class Verification {
  readonly manifest: DossierManifest;
  readonly trust: Trust;
  readonly tree: TreeCheck;
  readonly leaves: LeavesCheck;
  readonly chains: ChainsCheck;
  readonly policies: PoliciesCheck;
  readonly records: RecordsCheck;
  readonly #findings: Findings;
  readonly #ids = new IdIndex();
  #stage: DossierKind = 'manifest';
  /** How far the indexes of the dossier are from the places of their events. */
  #drift = 0;
  lines = 1;
  events = 0;
  recordLines = 0;
  /** Whether everything was read, to the end. */
  finished = false;
  #ended = false;

  constructor(
    manifest: DossierManifest,
    trusted: readonly string[],
    runner: PolicyRunner,
    findings: Findings,
  ) {
    this.manifest = manifest;
    this.#findings = findings;
    this.trust = checkTrust(manifest, trusted, findings);
    this.tree = new TreeCheck(manifest, this.trust.log, findings);
    this.leaves = new LeavesCheck(this.tree.leafHashes, findings);
    this.chains = new ChainsCheck(manifest.authority, findings);
    this.policies = new PoliciesCheck(runner, findings);
    this.records = new RecordsCheck(manifest, findings);
  }

  async add({ number, line }: NumberedLine): Promise<void> {
    this.lines = number;
    await this.#enter(line.kind);
    try {
      if (line.kind === 'checkpoint') this.tree.addCheckpoint(line, number);
      else if (line.kind === 'leaf-hashes') this.tree.addLeafHashes(line, number);
      else if (line.kind === 'policy') await this.policies.addPolicy(line, number);
      else if (line.kind === 'event') await this.#addEvent(line, number);
      else if (line.kind === 'record') {
        this.recordLines += 1;
        this.records.addRecord(line, number);
      } else if (line.kind === 'end') this.#end(line.lines, number);
    } catch (error) {
      if (error instanceof FormatError) throw new DossierError(number, error.message);
      throw error;
    }
  }

  /** Once no line is left. */
  async finish(): Promise<void> {
    await this.#enter('end');
    this.records.finish();
    if (!this.#ended)
      this.#findings.add(
        'form.cut',
        { line: this.lines },
        `The dossier ends at line ${this.lines} without its end: it was cut.`,
      );
    this.finished = true;
  }

  report({ number }: NumberedLine, onProgress: (progress: Progress) => void): void {
    if (number % 1000 !== 0 && number > 1) return;
    const { events, manifest } = this;
    onProgress({ stage: this.#stage, lines: number, events, ofEvents: manifest.treeSize });
  }

  /** Closes every stage that comes before a line of this kind. */
  async #enter(kind: DossierKind): Promise<void> {
    for (let place = dossierKinds.indexOf(this.#stage); place < dossierKinds.indexOf(kind); place += 1) {
      const done = dossierKinds[place];
      if (done === 'leaf-hashes') this.tree.finish();
      if (done === 'event') await this.#finishEvents();
    }
    this.#stage = kind;
  }

  async #addEvent(line: DossierEvent, number: number): Promise<void> {
    const value = encoder.encode(line.value);
    const place = this.events;
    this.events += 1;
    if (line.index - place !== this.#drift) {
      this.#drift = line.index - place;
      this.#findings.add(
        'leaf.index',
        { line: number, index: line.index },
        `The event in line ${number} says that it is leaf ${line.index}, and stands in the place of leaf ${place}.`,
      );
    }
    const event: SeenEvent = {
      line: number,
      index: line.index,
      topic: line.topic,
      key: line.key,
      value,
      hash: toHex(sha256(value)),
      signature: line.signature === null ? null : fromBase64(line.signature),
      envelope: envelopeOf(value),
    };
    this.leaves.add(event);
    this.chains.add(event);
    const repeats = this.#repeats(event, place);
    const { topic, key, signature } = event;
    this.records.addLeaf({
      index: place,
      topic,
      key,
      value,
      signature,
      ...(repeats === null ? {} : { repeats }),
    });
    await this.policies.add(event);
  }

  /** Place of the first event with the same id and other bytes. */
  #repeats(event: SeenEvent, place: number): number | null {
    if (event.envelope === null) return null;
    const first = this.#ids.claim(event.envelope.id, place);
    if (first === undefined || this.tree.leafHashes.has(first, leafHash(event.value))) return null;
    this.#findings.add(
      'event.repeated-id',
      { line: event.line, index: event.index, id: event.envelope.id, producer: event.key },
      `Event index ${event.index} has the id ${event.envelope.id} of leaf ${first}, and says something else.`,
    );
    return first;
  }

  async #finishEvents(): Promise<void> {
    this.leaves.finish();
    this.chains.finish(this.events);
    await this.policies.finish();
    this.records.finishLeaves();
  }

  #end(lines: number, number: number): void {
    this.#ended = true;
    if (lines !== number - 1)
      this.#findings.add(
        'form.cut',
        { line: number },
        `The end counts ${lines} lines before it, and ${number - 1} are there.`,
      );
  }
}

function envelopeOf(value: Uint8Array): SeenEvent['envelope'] {
  try {
    return parseEnvelope(value);
  } catch {
    return null;
  }
}
