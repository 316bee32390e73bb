import { mkdtemp, readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Cache } from './cache.js';

const host = hostname().replaceAll(/[^A-Za-z0-9]/g, '');

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** A new folder for one server; its name tells which process answers for it. */
export async function instanceFolder(cache: Cache): Promise<string> {
  return mkdtemp(join(cache.folder, `run-${host}-${process.pid}-`));
}

/** Folders of servers whose process died before it could remove them. */
export async function abandonedInstances(cache: Cache): Promise<readonly string[]> {
  const pattern = new RegExp(`^run-${host}-(\\d+)-`);
  const names = await readdir(cache.folder);
  return names
    .filter((name) => {
      const owner = pattern.exec(name)?.[1];
      return owner !== undefined && !isAlive(Number(owner));
    })
    .map((name) => join(cache.folder, name));
}
