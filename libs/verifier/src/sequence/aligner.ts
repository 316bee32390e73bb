import { toHex } from '@countersign/transparency';
import type { HashList } from './hash-list.js';

/**
 * How what a dossier shows differs from what it must show.
 * - changed: `item` stands where the expected `from` belongs, and is none of the expected
 * - added: `item` is none of the expected and takes nothing's place
 * - moved: `item` is the expected `from` at another place
 * - repeated: `item` is the expected `from` once more
 * - missing: the expected `from` to `to` (included) are not there
 */
export type Discrepancy<Item> =
  | { readonly kind: 'changed' | 'moved' | 'repeated'; readonly item: Item; readonly from: number }
  | { readonly kind: 'added'; readonly item: Item }
  | { readonly kind: 'missing'; readonly from: number; readonly to: number };

/** Discrepancies after which the comparison gives up: what differs so much has no alignment worth the time. */
const MOST = 2000;

/**
 * Compares a stream with the hashes that it must have, in their order, and finds again where it goes on after a
 * difference. Costs nothing but a comparison while both agree.
 */
export class Aligner<Item> {
  readonly #expected: HashList;
  readonly #found: Discrepancy<Item>[] = [];
  #places: ReadonlyMap<string, number> | undefined;
  /** The next expected index. */
  #next = 0;
  /** Items that are none of the expected, until it is known whether they replace something. */
  #strangers: Item[] = [];
  /** An item that lies ahead: either what is between is missing, or it was moved here. */
  #ahead: { readonly item: Item; readonly place: number } | undefined;
  /** Expected indexes at or after `#next` that came too early. */
  readonly #early = new Set<number>();

  constructor(expected: HashList) {
    this.#expected = expected;
  }

  /** The next item. `describe` is called only where it differs. */
  offer(hash: Uint8Array, describe: () => Item): void {
    const calm = this.#ahead === undefined && this.#strangers.length === 0 && this.#early.size === 0;
    if (calm && this.#expected.has(this.#next, hash)) this.#next += 1;
    else if (!this.#gaveUp) this.#place(hash, describe());
  }

  /** All discrepancies, once everything was offered. */
  finish(): { readonly discrepancies: readonly Discrepancy<Item>[]; readonly complete: boolean } {
    if (!this.#gaveUp) {
      this.#settleAhead(undefined);
      this.#reach(this.#expected.length);
    }
    return { discrepancies: this.#found, complete: !this.#gaveUp };
  }

  get #gaveUp(): boolean {
    return this.#found.length >= MOST || this.#strangers.length >= MOST;
  }

  #place(hash: Uint8Array, item: Item): void {
    const place = this.#placeOf(hash);
    if (place !== undefined && this.#settleAhead(place)) return;
    if (place === undefined) {
      this.#settleAhead(undefined);
      this.#strangers.push(item);
    } else if (place < this.#next || this.#early.has(place)) {
      this.#returned(item, place);
    } else if (place === this.#next || this.#strangers.length > 0) {
      this.#reach(place);
      this.#next = place + 1;
      this.#skipEarly();
    } else {
      this.#ahead = { item, place };
    }
  }

  /** Decides what an item ahead meant, by the place of the one after it. True where that one is thereby placed. */
  #settleAhead(following: number | undefined): boolean {
    const ahead = this.#ahead;
    if (ahead === undefined) return false;
    this.#ahead = undefined;
    if (following === this.#next) {
      this.#note({ kind: 'moved', item: ahead.item, from: ahead.place });
      this.#early.add(ahead.place);
      this.#next += 1;
      this.#skipEarly();
      return true;
    }
    this.#reach(ahead.place);
    this.#next = ahead.place + 1;
    this.#skipEarly();
    return false;
  }

  /** Everything expected before `place` that did not come was replaced by strangers, or is missing. */
  #reach(place: number): void {
    const strangers = this.#strangers;
    this.#strangers = [];
    let from = this.#next;
    for (const item of strangers) {
      while (this.#early.delete(from)) from += 1;
      if (from < place) {
        this.#note({ kind: 'changed', item, from });
        from += 1;
      } else this.#note({ kind: 'added', item });
    }
    for (; from < place; from += 1)
      if (!this.#early.delete(from)) this.#note({ kind: 'missing', from, to: from });
    this.#next = Math.max(this.#next, place);
  }

  #skipEarly(): void {
    while (this.#early.delete(this.#next)) this.#next += 1;
  }

  /** An item whose place was passed: if it was thought missing it was moved, else it comes again. */
  #returned(item: Item, place: number): void {
    const at = this.#found.findIndex(
      (other) => other.kind === 'missing' && other.from <= place && place <= other.to,
    );
    const gap = this.#found[at];
    if (gap?.kind !== 'missing') {
      this.#note({ kind: 'repeated', item, from: place });
      return;
    }
    const rest = [
      { ...gap, to: place - 1 },
      { ...gap, from: place + 1 },
    ].filter(({ from, to }) => from <= to);
    this.#found.splice(at, 1, ...rest);
    this.#note({ kind: 'moved', item, from: place });
  }

  #placeOf(hash: Uint8Array): number | undefined {
    if (this.#expected.has(this.#next, hash)) return this.#next;
    this.#places ??= this.#expected.places();
    return this.#places.get(toHex(hash));
  }

  #note(discrepancy: Discrepancy<Item>): void {
    const last = this.#found.at(-1);
    // Neighbours that are missing are one finding, however many.
    if (discrepancy.kind === 'missing' && last?.kind === 'missing' && last.to === discrepancy.from - 1)
      this.#found[this.#found.length - 1] = { ...last, to: discrepancy.to };
    else this.#found.push(discrepancy);
  }
}
