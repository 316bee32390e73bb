import { on } from 'node:events';
import type { approvalRpc } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import type { Change, Changes } from '../storage/index.js';

type WatchResponse = approvalRpc.WatchResponse;

function messageOf(change: Change): WatchResponse | null {
  if (change.kind === 'grant-ended') return { change: { $case: 'grantEnded', value: change.id } };
  if (change.kind === 'keys-rotated') return { change: { $case: 'keysRotated', value: true } };
  return null;
}

/**
 * What a watcher must know, from now on. Ends with approval.unavailable as soon as something may have been missed: the
 * watcher then trusts nothing that it remembers, and begins again.
 */
export async function* watch(changes: Changes, signal: AbortSignal): AsyncGenerator<WatchResponse> {
  const ending = new AbortController();
  const end = () => ending.abort();
  changes.once('broken', end);
  signal.addEventListener('abort', end, { once: true });
  try {
    // Listening begins before `ready` is said, so that nothing falls between.
    const heard = on(changes, 'change', { signal: ending.signal });
    if (!changes.listening) throw new CountersignError('approval.unavailable');
    yield { change: { $case: 'ready', value: true } };
    for await (const [change] of heard) {
      const message = messageOf(change as Change);
      if (message !== null) yield message;
    }
  } catch (error) {
    if (signal.aborted) return;
    if (ending.signal.aborted) throw new CountersignError('approval.unavailable');
    throw error;
  } finally {
    changes.off('broken', end);
    signal.removeEventListener('abort', end);
  }
}
