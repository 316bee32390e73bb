import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Cache } from '../cache.js';
import { abandonedInstances } from '../instances.js';

const run = promisify(execFile);

/** What a running server writes of itself (postmaster.pid: pid, folder, start, port, socket, address, memory, status). */
export function readPidFile(
  data: string,
): { pid: number; ready: boolean; sharedMemory: string | null } | null {
  const file = join(data, 'postmaster.pid');
  if (!existsSync(file)) return null;
  const lines = readFileSync(file, 'utf8').split('\n');
  const pid = Number.parseInt(lines[0] ?? '', 10);
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  return {
    pid,
    ready: lines[7]?.trim() === 'ready',
    sharedMemory: lines[6]?.trim().split(/\s+/)[1] ?? null,
  };
}

/** Processes whose parent is `pid`; empty where the system does not tell. */
export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').map(Number).filter(Boolean);
  } catch {
    return [];
  }
}

/** Whether a process is the one that writes a server's log. */
export function isCollector(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('postgres: logger');
  } catch {
    return false;
  }
}

/** Frees the System V segment that a killed server left; a server that stops in order frees its own. */
export async function removeSharedMemory(data: string): Promise<void> {
  const id = readPidFile(data)?.sharedMemory;
  if (id !== null && id !== undefined) await run('ipcrm', ['-m', id]).catch(() => undefined);
}

/** Ends servers and removes folders of test processes that died before they could. */
export async function sweepLeftovers(cache: Cache): Promise<void> {
  for (const folder of await abandonedInstances(cache)) {
    const data = join(folder, 'data');
    const left = readPidFile(data);
    const isServer =
      left !== null &&
      (await readFile(`/proc/${left.pid}/cmdline`, 'utf8').catch(() => '')).split('\0').includes(data);
    if (left !== null && isServer) {
      for (const pid of [left.pid, ...childrenOf(left.pid)]) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It went by itself.
        }
      }
    }
    await removeSharedMemory(data);
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
