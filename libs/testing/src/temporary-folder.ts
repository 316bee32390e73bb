import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryFolder {
  readonly path: string;
  /** Deletes the folder with all that is in it; more than once does no harm. */
  remove(): Promise<void>;
}

/** A new private folder (mode 0700) under the temporary folder of the operating system. */
export async function temporaryFolder(name = 'test'): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(await realpath(tmpdir()), `countersign-${name}-`));
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  return { path, remove };
}
