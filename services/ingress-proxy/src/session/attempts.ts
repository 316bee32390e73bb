import { LRUCache } from 'lru-cache';

const WINDOW_MILLISECONDS = 60_000;
const MOST_PEERS = 10_000;

/** Refused attempts of each peer in the last minute: guessing tokens is slow, and costs little to refuse. */
export class Attempts {
  readonly #limit: number;
  readonly #peers = new LRUCache<string, { since: number; count: number }>({ max: MOST_PEERS });

  /** @param limit refused attempts of one peer in a minute */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @param now milliseconds since 1970 */
  mayTry(peer: string, now: number): boolean {
    const attempts = this.#peers.get(peer);
    return (
      attempts === undefined || now - attempts.since >= WINDOW_MILLISECONDS || attempts.count < this.#limit
    );
  }

  refused(peer: string, now: number): void {
    const attempts = this.#peers.get(peer);
    if (attempts === undefined || now - attempts.since >= WINDOW_MILLISECONDS) {
      this.#peers.set(peer, { since: now, count: 1 });
    } else attempts.count += 1;
  }
}
