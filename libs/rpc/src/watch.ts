import { setTimeout as sleep } from 'node:timers/promises';
import { CountersignError, toCountersignError } from '@countersign/errors';
import { backOff } from './limits.js';

export interface WatchOptions<Message> {
  readonly onMessage: (message: Message) => void | Promise<void>;
  /** The stream broke, ended or could not be opened: what was learnt from it may be stale now. */
  readonly onBroken: (error: CountersignError) => void;
  readonly signal: AbortSignal;
}

/**
 * Reads a stream for ever: opens it anew, after a jittered back-off, whenever it breaks or ends. An error of `onMessage` counts
 * as a break. Resolves when the signal is aborted, without calling `onBroken` for that.
 */
export async function watchForever<Message>(
  open: (signal: AbortSignal) => AsyncIterable<Message>,
  options: WatchOptions<Message>,
): Promise<void> {
  const { signal } = options;
  let failures = 0;
  while (!signal.aborted) {
    // Of this one stream, so that listeners do not gather on the long-lived signal.
    const round = new AbortController();
    const abort = () => round.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    let error = new CountersignError('rpc.unavailable', { detail: 'The stream ended.' });
    try {
      const iterator = open(round.signal)[Symbol.asyncIterator]();
      // The stream may have been opened without the signal; ending it ends a pending read as well.
      round.signal.addEventListener('abort', () => void iterator.return?.(), { once: true });
      for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) {
        failures = 0;
        await options.onMessage(step.value);
        if (signal.aborted) break;
      }
    } catch (thrown) {
      error = toCountersignError(thrown);
    } finally {
      signal.removeEventListener('abort', abort);
      round.abort();
    }
    if (signal.aborted) return;
    options.onBroken(error);
    await sleep(backOff(failures, Math.random()), undefined, { signal }).catch(() => undefined);
    failures += 1;
  }
}
