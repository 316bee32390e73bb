import { equal, HASH_LENGTH, toHex } from '@countersign/transparency';

/** A list of hashes that grows, at 32 bytes each: what must be kept of every leaf and record. */
export class HashList {
  #bytes = new Uint8Array(HASH_LENGTH * 1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(hash: Uint8Array): void {
    const end = (this.#length + 1) * HASH_LENGTH;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(hash, end - HASH_LENGTH);
    this.#length += 1;
  }

  /** A view, valid until the next `push`; undefined beyond the end. */
  at(index: number): Uint8Array | undefined {
    if (index < 0 || index >= this.#length) return undefined;
    return this.#bytes.subarray(index * HASH_LENGTH, (index + 1) * HASH_LENGTH);
  }

  has(index: number, hash: Uint8Array): boolean {
    const own = this.at(index);
    return own !== undefined && equal(own, hash);
  }

  /** First index of each hash, by hexadecimal text. Costs far more than the list: for when something is wrong. */
  places(): ReadonlyMap<string, number> {
    const places = new Map<string, number>();
    for (let index = this.#length - 1; index >= 0; index -= 1) {
      const hash = this.at(index);
      if (hash !== undefined) places.set(toHex(hash), index);
    }
    return places;
  }
}
