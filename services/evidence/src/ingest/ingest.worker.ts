import { setTimeout as sleep } from 'node:timers/promises';
import { topics } from '@countersign/contracts';
import type { EventLog } from '@countersign/event-log';
import type { Pool } from '../database/index.js';
import type { CheckpointKey } from '../log/index.js';
import { loadPositions } from './positions.store.js';
import { openWriter, type Written } from './writer.store.js';

export interface IngestOptions {
  readonly pool: Pool;
  readonly eventLog: EventLog;
  readonly key: CheckpointKey;
  readonly signal: AbortSignal;
  readonly maxBatch?: number;
  onWritten(written: Written): void;
  /** The event log cannot be read just now; it is being tried on. */
  onTrouble(error: unknown): void;
  /** Something failed; ingestion pauses and tries again by itself after so many milliseconds. */
  onPaused(error: unknown, milliseconds: number): void;
}

export interface Ingest {
  /** Whether the event log is being followed now. */
  readonly following: boolean;
  /** Resolves once the signal has stopped it. */
  readonly done: Promise<void>;
}

const shortestPause = 100;
const longestPause = 5000;
/** How long after trouble with the event log it counts as not followed, unless events come, milliseconds. */
const troubleLasts = 10_000;

/**
 * Follows every topic for ever. After any failure (event log or database down, disk full, another writer) it pauses,
 * reads again where the log stands, and goes on from there: nothing is lost and nothing counted twice, because where it
 * stands is written with what it wrote.
 */
export function startIngest(options: IngestOptions): Ingest {
  let following = false;
  let troubledAt = Number.NEGATIVE_INFINITY;
  let pause = shortestPause;

  const follow = async (): Promise<void> => {
    const writer = await openWriter(options.pool, options.key);
    const from = await loadPositions(options.pool);
    following = true;
    await options.eventLog.subscribe({
      topics: Object.values(topics),
      from,
      maxBatch: options.maxBatch ?? 500,
      signal: options.signal,
      onTrouble(error) {
        troubledAt = performance.now();
        options.onTrouble(error);
      },
      async onBatch(records) {
        if (records.length === 0) return;
        const written = await writer.write(records);
        troubledAt = Number.NEGATIVE_INFINITY;
        pause = shortestPause;
        options.onWritten(written);
      },
    });
  };

  const run = async (): Promise<void> => {
    while (!options.signal.aborted) {
      try {
        await follow();
      } catch (error) {
        following = false;
        if (options.signal.aborted) break;
        options.onPaused(error, pause);
        await sleep(pause, undefined, { signal: options.signal }).catch(() => undefined);
        pause = Math.min(pause * 2, longestPause);
      }
    }
    following = false;
  };

  return {
    get following() {
      return following && performance.now() - troubledAt > troubleLasts;
    },
    done: run(),
  };
}
