/**
 * The latest of a changing value for any number of readers. A reader gets it at once and again after each change; one
 * that is slow misses values in between, never the last.
 */
export class Announcements<Value> {
  #value: Value | undefined;
  #changed = Promise.withResolvers<void>();

  announce(value: Value): void {
    this.#value = value;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Ends when the signal is aborted. */
  async *follow(signal: AbortSignal): AsyncGenerator<Value, void, undefined> {
    const ended = Promise.withResolvers<void>();
    const end = () => ended.resolve();
    signal.addEventListener('abort', end, { once: true });
    try {
      let told: Value | undefined;
      while (!signal.aborted) {
        const changed = this.#changed.promise;
        const value = this.#value;
        if (value !== undefined && value !== told) {
          told = value;
          yield value;
        } else {
          await Promise.race([changed, ended.promise]);
        }
      }
    } finally {
      signal.removeEventListener('abort', end);
    }
  }
}
