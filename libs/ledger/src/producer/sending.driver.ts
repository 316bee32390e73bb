import { setTimeout as delay } from 'node:timers/promises';
import type { EventLog, EventRecord } from '@countersign/event-log';

/** Milliseconds between two attempts, at first and at most. */
const pauses = { first: 20, most: 1_000 };

/**
 * Tries until it succeeds, or until it is given up between two attempts; then resolves to false.
 * @param failed called after each failure
 */
export async function untilDone(
  attempt: () => Promise<void>,
  failed: () => void,
  given: AbortSignal,
): Promise<boolean> {
  for (let pause = pauses.first; ; pause = Math.min(pause * 2, pauses.most)) {
    try {
      await attempt();
      return true;
    } catch {
      failed();
    }
    if (!given.aborted) await delay(pause, undefined, { signal: given }).catch(() => undefined);
    if (given.aborted) return false;
  }
}

/** Appends until the log has it: a rejection means unknown, so the same bytes go again. */
export function appendUntilDurable(
  log: EventLog,
  topic: string,
  records: readonly EventRecord[],
  failed: () => void,
  given: AbortSignal,
): Promise<boolean> {
  return untilDone(() => log.append(topic, records), failed, given);
}
