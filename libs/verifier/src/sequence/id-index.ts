import { sha256 } from '@countersign/transparency';

const encoder = new TextEncoder();

/**
 * First place of every id, in 12 bytes a slot instead of a text and an object each. Ids are told apart by 64 bits of
 * their SHA-256: two ids that collide would be reported as one, which no honest log of UUIDs comes near.
 */
export class IdIndex {
  #keys = new Uint32Array(2 * 2048);
  /** Place plus one; 0 marks a free slot. */
  #places = new Uint32Array(2048);
  #count = 0;

  /** The place at which the id was first seen; undefined, and remembered, where this is the first. */
  claim(id: string, place: number): number | undefined {
    const digest = sha256(encoder.encode(id));
    const view = new DataView(digest.buffer, digest.byteOffset, 8);
    const [high, low] = [view.getUint32(0), view.getUint32(4)];
    const slot = this.#slotOf(high, low);
    const known = this.#places[slot] ?? 0;
    if (known > 0) return known - 1;
    this.#set(slot, high, low, place + 1);
    this.#count += 1;
    if (this.#count * 2 > this.#places.length) this.#grow();
    return undefined;
  }

  /** The slot that holds the key, or the free one where it belongs. */
  #slotOf(high: number, low: number): number {
    const mask = this.#places.length - 1;
    let slot = low & mask;
    while (
      (this.#places[slot] ?? 0) > 0 &&
      !(this.#keys[2 * slot] === high && this.#keys[2 * slot + 1] === low)
    )
      slot = (slot + 1) & mask;
    return slot;
  }

  #set(slot: number, high: number, low: number, place: number): void {
    this.#keys[2 * slot] = high;
    this.#keys[2 * slot + 1] = low;
    this.#places[slot] = place;
  }

  #grow(): void {
    const keys = this.#keys;
    const places = this.#places;
    this.#keys = new Uint32Array(keys.length * 2);
    this.#places = new Uint32Array(places.length * 2);
    for (const [slot, place] of places.entries()) {
      if (place === 0) continue;
      const [high, low] = [keys[2 * slot] ?? 0, keys[2 * slot + 1] ?? 0];
      this.#set(this.#slotOf(high, low), high, low, place);
    }
  }
}
