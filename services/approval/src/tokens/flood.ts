/** Counts like things that happen too often to be told one by one, in bounded memory. */
export interface FloodOptions {
  /** Length of a period, milliseconds. */
  readonly period: number;
  /** Things of one kind that are told one by one in a period. */
  readonly singles: number;
  /** Kinds that are told apart; any more are counted together. */
  readonly kinds: number;
}

interface Entry<Kind> {
  readonly kind: Kind;
  readonly begun: number;
  told: number;
  held: number;
}

/** Pure but for its own memory: the time comes in with each call, milliseconds of any steady clock. */
export class Flood<Kind> {
  readonly #options: FloodOptions;
  readonly #keyOf: (kind: Kind) => string;
  /** What a kind becomes once there are too many. */
  readonly #coarser: (kind: Kind) => Kind;
  readonly #entries = new Map<string, Entry<Kind>>();

  constructor(options: FloodOptions, keyOf: (kind: Kind) => string, coarser: (kind: Kind) => Kind) {
    this.#options = options;
    this.#keyOf = keyOf;
    this.#coarser = coarser;
  }

  /** Whether this one is to be told at once. Otherwise it is in the count of a later `due`. */
  add(wanted: Kind, now: number): boolean {
    const full = this.#entries.size >= this.#options.kinds && !this.#entries.has(this.#keyOf(wanted));
    const kind = full ? this.#coarser(wanted) : wanted;
    const key = this.#keyOf(kind);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { kind, begun: now, told: 0, held: 0 };
      this.#entries.set(key, entry);
    }
    if (entry.told < this.#options.singles) {
      entry.told += 1;
      return true;
    }
    entry.held += 1;
    return false;
  }

  /** What was held back in periods that are over (all, at the end), and forgets them. */
  due(now: number, all = false): { readonly kind: Kind; readonly count: number }[] {
    const counts: { kind: Kind; count: number }[] = [];
    for (const [key, { kind, begun, held }] of this.#entries) {
      if (!all && now - begun < this.#options.period) continue;
      this.#entries.delete(key);
      if (held > 0) counts.push({ kind, count: held });
    }
    return counts;
  }
}
