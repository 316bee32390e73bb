/** Messages for all who listen now. */
export class Broadcast<Message> {
  readonly #listeners = new Set<(message: Message) => void>();

  send(message: Message): void {
    for (const listener of this.#listeners) listener(message);
  }

  async *subscribe(first: readonly Message[], signal: AbortSignal): AsyncIterable<Message> {
    const queue: Message[] = [...first];
    let wake = (): void => undefined;
    const listener = (message: Message): void => {
      queue.push(message);
      wake();
    };
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => wake(), { once: true });
    try {
      while (!signal.aborted) {
        const message = queue.shift();
        if (message !== undefined) yield message;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      this.#listeners.delete(listener);
    }
  }
}
