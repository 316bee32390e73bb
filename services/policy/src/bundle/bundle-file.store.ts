import { open } from 'node:fs/promises';
import { CountersignError } from '@countersign/errors';
import { bundleLimits } from '@countersign/policy-runtime';

export interface BundleFileOptions {
  readonly file: string;
  readonly pollMilliseconds: number;
  /** Takes what the file holds now. A rejection is told to `onRefused`, and the same content is offered again later. */
  offer(bundle: Uint8Array): Promise<unknown>;
  onRefused(error: unknown): void;
  readonly signal: AbortSignal;
}

/** Reads the whole file. @throws policy.bundle_invalid where it cannot be read or is too large */
export async function readBundleFile(file: string): Promise<Uint8Array> {
  try {
    const handle = await open(file, 'r');
    try {
      if ((await handle.stat()).size > bundleLimits.packed) {
        throw new CountersignError('policy.bundle_invalid', { detail: 'The file is too large.' });
      }
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof CountersignError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new CountersignError('policy.bundle_invalid', {
      detail: `The file cannot be read (${code}).`,
      cause: error,
    });
  }
}

/**
 * Offers the file's content again and again until the signal is aborted: every `pollMilliseconds`, and whenever
 * `lookNow` is called. Polling sees what file notifications miss: mounted volumes, renamed folders, swapped links.
 */
export function watchBundleFile(options: BundleFileOptions): { lookNow(): Promise<void> } {
  let looking: Promise<void> = Promise.resolve();
  const look = async () => {
    try {
      await options.offer(await readBundleFile(options.file));
    } catch (error) {
      options.onRefused(error);
    }
  };
  const lookNow = () => {
    looking = looking.then(look);
    return looking;
  };
  let idle = true;
  const timer = setInterval(() => {
    if (!idle) return;
    idle = false;
    void lookNow().then(() => {
      idle = true;
    });
  }, options.pollMilliseconds);
  timer.unref();
  options.signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  return { lookNow };
}
