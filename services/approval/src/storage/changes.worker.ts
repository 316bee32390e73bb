import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Change, changeChannel, readChange } from './change.js';
import type { Database } from './database.store.js';

/** Milliseconds between attempts to listen again. */
const pause = 500;

interface Signals {
  change: [Change];
  /** Changes may have been missed: whoever keeps a state must ask again. */
  broken: [];
}

/**
 * What all instances of the service tell one another. One connection listens for as long as the service runs; where it
 * breaks, `broken` is emitted, since what was said meanwhile is lost.
 */
export class Changes extends EventEmitter<Signals> {
  readonly #database: Database;
  #listening = false;

  constructor(database: Database) {
    super();
    this.#database = database;
    this.setMaxListeners(0);
  }

  get listening(): boolean {
    return this.#listening;
  }

  /** Listens until told to stop, again after each break. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#listen(signal).catch(() => undefined);
      this.#listening = false;
      this.emit('broken');
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const client = this.#database.dedicated();
    const ended = new Promise<void>((resolve) => {
      client.once('end', resolve);
      client.on('error', () => resolve());
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    client.on('notification', ({ payload }) => {
      const change = readChange(payload);
      if (change !== null) this.emit('change', change);
    });
    try {
      await client.connect();
      await client.query(`listen ${changeChannel}`);
      this.#listening = true;
      await ended;
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
