/**
 * Collects what one turn of the event loop wants to send and writes it at once: a frame costs far more than the calls in
 * it. `setImmediate` runs after the turn's input was read, so that one frame answers another.
 */
export class Outbox<Item> {
  readonly #write: (items: Item[]) => boolean;
  readonly #sizeOf: (item: Item) => number;
  readonly #batchBytes: number;
  #items: Item[] = [];
  #scheduled = false;
  #blocked = false;
  #closed = false;

  /** `write` says whether more may follow at once; if not, `resume` is to be called later. */
  constructor(write: (items: Item[]) => boolean, sizeOf: (item: Item) => number, batchBytes: number) {
    this.#write = write;
    this.#sizeOf = sizeOf;
    this.#batchBytes = batchBytes;
  }

  /** How many items wait. */
  get length(): number {
    return this.#items.length;
  }

  get blocked(): boolean {
    return this.#blocked;
  }

  push(item: Item): void {
    if (this.#closed) return;
    this.#items.push(item);
    this.#schedule();
  }

  /** Forgets waiting items that nobody wants any more. */
  prune(wanted: (item: Item) => boolean): void {
    this.#items = this.#items.filter(wanted);
  }

  block(): void {
    this.#blocked = true;
  }

  resume(): void {
    this.#blocked = false;
    if (this.#items.length > 0) this.#schedule();
  }

  close(): void {
    this.#closed = true;
    this.#items = [];
  }

  #schedule(): void {
    if (this.#scheduled || this.#blocked) return;
    this.#scheduled = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    let start = 0;
    while (start < this.#items.length && !this.#blocked && !this.#closed) {
      let end = start;
      let bytes = 0;
      for (; end < this.#items.length && bytes < this.#batchBytes; end += 1) {
        const item = this.#items[end];
        if (item !== undefined) bytes += this.#sizeOf(item);
      }
      const batch = start === 0 && end === this.#items.length ? this.#items : this.#items.slice(start, end);
      start = end;
      if (!this.#write(batch)) this.#blocked = true;
    }
    this.#items = start >= this.#items.length ? [] : this.#items.slice(start);
  };
}
