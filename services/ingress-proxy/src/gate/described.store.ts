import { LRUCache } from 'lru-cache';

const MOST = 50_000;

/**
 * Which facts this epoch has described already. A digest counts once its event is durable; whoever needs it while that
 * is under way waits, so that no decision ever refers to facts that nobody published.
 */
export class DescribedFacts {
  readonly #known = new LRUCache<string, true>({ max: MOST });
  readonly #underWay = new Map<string, Promise<void>>();

  /** Whether the caller must describe the facts; then it has to call `settle`. */
  async claim(digest: string): Promise<boolean> {
    for (;;) {
      if (this.#known.has(digest)) return false;
      const other = this.#underWay.get(digest);
      if (other === undefined) break;
      await other;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#underWay.set(digest, promise);
    this.#settlers.set(digest, resolve);
    return true;
  }

  has(digest: string): boolean {
    return this.#known.has(digest);
  }

  settle(digest: string, durable: boolean): void {
    if (durable) this.#known.set(digest, true);
    this.#underWay.delete(digest);
    this.#settlers.get(digest)?.();
    this.#settlers.delete(digest);
  }

  readonly #settlers = new Map<string, () => void>();
}
