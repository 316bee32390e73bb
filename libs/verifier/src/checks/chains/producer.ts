import type { Findings } from '../../report/index.js';
import type { Place } from '../event.js';
import type { Epoch, Link } from './epoch.js';

/**
 * Most events that one append can hold (libs/ledger). An honest log can end within a batch, whose events then have no
 * signature yet; more than these are no such end.
 */
export const LONGEST_BATCH = 1000;

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

  /** Checks the links between epochs and reports what stayed open. Latest first: a link counts as signed once its epoch is. */
  finish(): { readonly openEvents: number } {
    let openEvents = 0;
    for (let position = this.#lives.length - 1; position >= 0; position -= 1) {
      const life = this.#lives[position];
      if (life === undefined) continue;
      openEvents += this.#reportTail(life.epoch);
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

  #reportTail(epoch: Epoch): number {
    const tail = epoch.openTail;
    if (tail === null) return 0;
    const count = tail.toSeq - tail.fromSeq + 1;
    this.#findings.add(
      count > LONGEST_BATCH ? 'signature.missing' : 'signature.open-tail',
      { ...this.#where(epoch, epoch.head), batch: tail },
      `Events ${tail.fromSeq} to ${tail.toSeq} of epoch ${epoch.id} of ${this.#key} (index ${tail.fromIndex} to ${tail.toIndex}) have no signature of their producer: ${
        count > LONGEST_BATCH
          ? 'that is more than one batch holds, so signatures were removed.'
          : 'the checkpoint alone vouches for them.'
      }`,
    );
    return count;
  }

  #where(epoch: Epoch, { index, id, type, seq }: Place) {
    return { index, id, type, producer: this.#key, epoch: epoch.id, seq };
  }
}
