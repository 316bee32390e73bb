/** Counts refused attempts by peer in periods of one minute, in bounded memory. */
export class Attempts {
  readonly #most: number;
  readonly #peers = new Map<string, { begun: number; count: number }>();

  /** @param most refused attempts of one peer in a minute after which it must wait */
  constructor(most: number) {
    this.#most = most;
  }

  /** Whether a peer must wait. `now` in milliseconds of a steady clock. */
  exhausted(peer: string, now: number): boolean {
    const entry = this.#peers.get(peer);
    return entry !== undefined && now - entry.begun < period && entry.count >= this.#most;
  }

  refused(peer: string, now: number): void {
    const entry = this.#peers.get(peer);
    if (entry !== undefined && now - entry.begun < period) {
      entry.count += 1;
      return;
    }
    // Oldest first: a map keeps the order of insertion.
    this.#peers.delete(peer);
    if (this.#peers.size >= mostPeers) {
      for (const oldest of this.#peers.keys()) {
        this.#peers.delete(oldest);
        break;
      }
    }
    this.#peers.set(peer, { begun: now, count: 1 });
  }
}

const period = 60_000;
const mostPeers = 10_000;
