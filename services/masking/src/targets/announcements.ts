/** Latest values by name for any number of readers: each reader gets all of them at once, and every later change. */
export class Announcements {
  readonly #values = new Map<string, string>();
  #changed = Promise.withResolvers<void>();

  announce(name: string, value: string): void {
    this.#values.set(name, value);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** Ends when the signal is aborted. A slow reader misses values in between, never the last. */
  async *follow(signal: AbortSignal): AsyncGenerator<{ name: string; value: string }, void, undefined> {
    const ended = Promise.withResolvers<void>();
    const end = () => ended.resolve();
    signal.addEventListener('abort', end, { once: true });
    const told = new Map<string, string>();
    try {
      while (!signal.aborted) {
        const changed = this.#changed.promise;
        const news = [...this.#values].filter(([name, value]) => told.get(name) !== value);
        for (const [name, value] of news) {
          told.set(name, value);
          yield { name, value };
        }
        if (news.length === 0) await Promise.race([changed, ended.promise]);
      }
    } finally {
      signal.removeEventListener('abort', end);
    }
  }
}
