import { leafHash } from '@countersign/transparency';
import type { Findings, Where } from '../report/index.js';
import { Aligner, type Discrepancy, type HashList } from '../sequence/index.js';
import { type SeenEvent, whereOf } from './event.js';

/** Compares the events with the leaf hashes that the log retained. */
export class LeavesCheck {
  readonly #aligner: Aligner<Where>;
  readonly #findings: Findings;

  constructor(retained: HashList, findings: Findings) {
    this.#aligner = new Aligner<Where>(retained);
    this.#findings = findings;
  }

  add(event: SeenEvent): void {
    this.#aligner.offer(leafHash(event.value), () => whereOf(event));
  }

  /** Once all events were added. */
  finish(): void {
    const { discrepancies, complete } = this.#aligner.finish();
    for (const discrepancy of discrepancies) this.#report(discrepancy);
    if (!complete)
      this.#findings.add(
        'leaf.too-different',
        {},
        'Events and retained leaf hashes differ too much to tell changed, missing and added events apart.',
      );
  }

  #report(found: Discrepancy<Where>): void {
    if (found.kind === 'missing') {
      const range =
        found.from === found.to ? `Leaf ${found.from} is` : `Leaves ${found.from} to ${found.to} are`;
      this.#findings.add(
        'leaf.missing',
        { leaves: { from: found.from, to: found.to } },
        `${range} missing: the log retained what they hash to, and no event here does.`,
      );
      return;
    }
    const { item } = found;
    const event = `The event of index ${item.index}${item.id === undefined ? '' : ` (id ${item.id})`}`;
    const sentences = {
      changed: `${event} is not the one that was logged: the log retained another hash of leaf ${'from' in found ? found.from : ''}.`,
      added: `${event} was not logged: the log retained no hash of it.`,
      moved: `${event} stands in another place: it was logged as leaf ${'from' in found ? found.from : ''}.`,
      repeated: `${event} is there once more: it was logged as leaf ${'from' in found ? found.from : ''}.`,
    };
    this.#findings.add(`leaf.${found.kind}`, item, sentences[found.kind]);
  }
}
