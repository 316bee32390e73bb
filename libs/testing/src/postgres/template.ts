import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { buildOnce, type Cache } from '../cache.js';
import type { Account } from './account.js';
import type { Binaries } from './binaries.js';

const run = promisify(execFile);

/** Name of the superuser of every instance. */
export const SUPERUSER = 'postgres';

// In the data folder itself, so that a kept folder still knows it; PostgreSQL ignores the file.
const PASSWORD_FILE = 'countersign.password';

/**
 * initdb takes seconds, a copy of its result a tenth of one: it runs once for each version, account and machine.
 * The built-in locale provider sorts alike on every operating system.
 */
async function template(cache: Cache, binaries: Binaries, account: Account): Promise<string> {
  const name = `template-${binaries.version}-${account.spawn.uid ?? 'own'}`;
  return buildOnce(cache, name, async (folder) => {
    await mkdir(folder, { mode: 0o700 });
    const password = randomBytes(24).toString('hex');
    const passwordFile = join(folder, '..', 'password');
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (account.spawn.uid !== undefined && account.spawn.gid !== undefined) {
      await chown(folder, account.spawn.uid, account.spawn.gid);
      await chown(passwordFile, account.spawn.uid, account.spawn.gid);
    }
    await run(
      binaries.initdb,
      [
        `--pgdata=${folder}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--no-sync',
        '--no-instructions',
      ],
      { ...account.spawn, cwd: '/', env: { PATH: process.env.PATH, TZ: 'UTC', LC_ALL: 'C' } },
    );
    await writeFile(join(folder, PASSWORD_FILE), password, { mode: 0o600 });
  });
}

/** Fills `data` with a fresh cluster, unless it already holds one. Returns the superuser's password. */
export async function prepareData(
  data: string,
  cache: Cache,
  binaries: Binaries,
  account: Account,
): Promise<string> {
  const found = await readdir(data).catch((): string[] => []);
  if (!found.includes('PG_VERSION')) {
    if (found.length > 0) throw new Error(`${data} is neither empty nor a PostgreSQL data folder.`);
    await mkdir(dirname(data), { recursive: true });
    const source = await template(cache, binaries, account);
    // cp keeps owners and modes, and is several times faster than copying file by file from here.
    await run('cp', ['-R', '-p', `${source}/.`, data]);
  }
  if (account.spawn.uid !== undefined && (await lstat(data)).uid !== account.spawn.uid) {
    throw new Error(`${data} does not belong to ${account.name}, as whom PostgreSQL runs.`);
  }
  return (await readFile(join(data, PASSWORD_FILE), 'utf8')).trim();
}
