import { chmod, lstat, mkdir, mkdtemp, realpath, rename, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** A folder of this user under the temporary folder of the operating system. */
export interface Cache {
  readonly folder: string;
}

const exists = (path: string) =>
  lstat(path).then(
    () => true,
    () => false,
  );

/**
 * Opens the cache of a kind of server. Temporary folders are shared, so one that another user prepared is refused: it
 * would decide what we run.
 */
export async function openCache(kind: 'postgres' | 'kafka'): Promise<Cache> {
  const { uid } = userInfo();
  const folder = join(await realpath(tmpdir()), `countersign-${kind}-${uid}`);
  await mkdir(folder, { recursive: true });
  const found = await lstat(folder);
  if (!found.isDirectory() || (uid >= 0 && found.uid !== uid)) {
    throw new Error(`${folder} belongs to somebody else.`);
  }
  // The server's account passes through, and sees only what is its own.
  await chmod(folder, 0o711);
  return { folder };
}

/**
 * Builds a folder of the cache unless it is there. Processes may race: each builds beside the place, the first to
 * rename wins, and a crash leaves nothing half-built in place.
 */
export async function buildOnce(
  cache: Cache,
  name: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const place = join(cache.folder, name);
  if (await exists(place)) return place;
  const attempt = await mkdtemp(`${place}.`);
  try {
    await chmod(attempt, 0o711);
    const target = join(attempt, 'content');
    await build(target);
    await rename(target, place).catch(async (error: unknown) => {
      if (!(await exists(place))) throw error;
    });
    return place;
  } finally {
    await rm(attempt, { recursive: true, force: true });
  }
}
