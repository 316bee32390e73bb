import { setTimeout as sleep } from 'node:timers/promises';

/** Does each piece of work again and again; one that fails is told, and does not keep the others from being done. */
export async function sweepEvery(
  milliseconds: number,
  works: readonly (() => Promise<void>)[],
  onFailure: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    for (const work of works) await work().catch(onFailure);
    await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
  }
}
