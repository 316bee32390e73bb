import type { Findings } from '../../report/index.js';
import type { Place } from '../event.js';
import type { Epoch, Link } from './epoch.js';

/**
 * Most events of one append (libs/event-log). A batch is appended whole, and its last event is signed: so only the end
 * of the log itself can cut one, and events without signature are never more than these, nor farther from that end.
 */
export const LONGEST_BATCH = 4096;

interface Life {
  readonly epoch: Epoch;
  /** What the epoch's first event names as the head of the one before; undefined where that event is not there. */
  readonly link: Link | null | undefined;
}

/** The epochs of one producer, in the order in which they were opened. */
export class Producer {
  readonly #key: string;
  readonly #findings: Findings;
  readonly #lives: Life[] = [];
  readonly #byId = new Map<string, Epoch>();

  constructor(key: string, findings: Findings) {
    this.#key = key;
    this.#findings = findings;
  }

  epoch(id: string): Epoch | undefined {
    return this.#byId.get(id);
  }

  isLatest(epoch: Epoch): boolean {
    return this.#lives.at(-1)?.epoch === epoch;
  }

  open(epoch: Epoch, link: Link | null | undefined): void {
    this.#lives.push({ epoch, link });
    this.#byId.set(epoch.id, epoch);
  }

  get epochs(): readonly Epoch[] {
    return this.#lives.map(({ epoch }) => epoch);
  }

  /**
   * Checks the links between epochs and reports what stayed open. Latest first: a link counts as signed once its epoch
   * is.
   * @param leaves of the log
   */
  finish(leaves: number): { readonly openEvents: number } {
    let openEvents = 0;
    for (let position = this.#lives.length - 1; position >= 0; position -= 1) {
      const life = this.#lives[position];
      if (life === undefined) continue;
      // A later epoch begins behind whole batches, so an earlier one has no unfinished batch.
      const isLatest = position === this.#lives.length - 1;
      openEvents += this.#reportTail(life.epoch, isLatest ? leaves : Number.POSITIVE_INFINITY);
      life.epoch.finish();
      this.#checkLink(life, this.#lives[position - 1]?.epoch);
    }
    return { openEvents };
  }

  #checkLink({ epoch, link }: Life, before: Epoch | undefined): void {
    // Without the event that holds it there is nothing to check: a finding tells that it is missing.
    if (link === undefined) return;
    const { first } = epoch;
    if (link !== null && before?.id === link.epoch) before.checkLink(link, first, epoch.covers(0));
    else if (link !== null && !this.#byId.has(link.epoch))
      this.#findings.add(
        'chain.epoch-missing',
        { ...this.#where(epoch, first), epoch: link.epoch, missing: { from: 0, to: link.seq } },
        `Epoch ${link.epoch} of ${this.#key}, events 0 to ${link.seq}, is missing: the epoch opened at event index ${first.index} continues it.`,
      );
    else if (link !== null || before !== undefined)
      this.#findings.add(
        'chain.unlinked',
        this.#where(epoch, first),
        `The epoch opened at event index ${first.index} does not continue the epoch of ${this.#key} before it.`,
      );
  }

  #reportTail(epoch: Epoch, leaves: number): number {
    const tail = epoch.openTail;
    if (tail === null) return 0;
    const removed = leaves - tail.fromIndex > LONGEST_BATCH;
    const [one, many] = [`Event ${tail.fromSeq}`, `Events ${tail.fromSeq} to ${tail.toSeq}`];
    this.#findings.add(
      removed ? 'signature.missing' : 'signature.open-tail',
      { ...this.#where(epoch, epoch.head), batch: tail },
      `${tail.fromSeq === tail.toSeq ? one : many} of epoch ${epoch.id} of ${this.#key} (index ${tail.fromIndex} to ${tail.toIndex}) ${tail.fromSeq === tail.toSeq ? 'has' : 'have'} no signature of the producer: ${
        removed
          ? 'that far from the end of the log it is no unfinished batch, so signatures were removed.'
          : 'the checkpoint alone vouches for it.'
      }`,
    );
    return tail.toSeq - tail.fromSeq + 1;
  }

  #where(epoch: Epoch, { index, id, type, seq }: Place) {
    return { index, id, type, producer: this.#key, epoch: epoch.id, seq };
  }
}
