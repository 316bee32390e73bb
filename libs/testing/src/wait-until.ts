import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  /** Milliseconds after which waiting fails. */
  readonly timeout?: number;
  /** Milliseconds between two looks. */
  readonly interval?: number;
  /** What is waited for, named in the error. */
  readonly what?: string;
}

/**
 * Looks again and again until the answer is truthy, and returns it. A look that throws counts as "not yet"; the last
 * error is the cause of the failure.
 */
export async function waitUntil<T>(
  look: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const { timeout = 30_000, interval = 10, what = 'the condition' } = options;
  const end = performance.now() + timeout;
  let cause: unknown;
  for (;;) {
    try {
      const answer = await look();
      if (answer) return answer as Exclude<T, false | null | undefined | 0 | ''>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= end) throw new Error(`Waited ${timeout} ms in vain for ${what}.`, { cause });
    await delay(interval);
  }
}
