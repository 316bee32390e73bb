import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CountersignError } from '@countersign/errors';

interface Running {
  readonly launcher: number;
  readonly children: readonly { readonly name: string; readonly pid: number }[];
}

const graceMilliseconds = 5_000;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The command line of a process; empty when it is gone. A process id may meanwhile belong to something else. */
async function commandOf(pid: number): Promise<string> {
  try {
    return (await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)])).stdout;
  } catch {
    return '';
  }
}

/** Remembers which processes belong to a data folder, so that the next start can tell and clear what was left over. */
export class Leftovers {
  readonly #folder: string;
  readonly #file: string;
  readonly #children = new Map<string, number>();

  constructor(folder: string) {
    this.#folder = folder;
    this.#file = join(folder, 'running.json');
  }

  async #read(): Promise<Running | undefined> {
    try {
      return JSON.parse(await readFile(this.#file, 'utf8')) as Running;
    } catch {
      return undefined;
    }
  }

  /**
   * Refuses to go on beside a living launcher; ends services that a dead one left over.
   * @returns the names of services that were ended
   */
  async clear(): Promise<readonly string[]> {
    const running = await this.#read();
    const ended: string[] = [];
    if (running !== undefined) {
      if (
        running.launcher !== process.pid &&
        (await commandOf(running.launcher)).includes('deploy/dist/main.js')
      ) {
        throw new CountersignError('config.invalid', {
          detail: `Process ${running.launcher} already runs on ${this.#folder}.`,
          next: `Stop it with Ctrl-C or "kill ${running.launcher}", or name another folder with --data.`,
        });
      }
      for (const { name, pid } of running.children) {
        if (!(await commandOf(pid)).includes(this.#folder)) continue;
        // SIGINT: PostgreSQL calls it a fast shutdown, the services a graceful one.
        process.kill(pid, 'SIGINT');
        for (let waited = 0; waited < graceMilliseconds && isAlive(pid); waited += 50) await delay(50);
        if (isAlive(pid)) process.kill(pid, 'SIGKILL');
        ended.push(name);
      }
    }
    await this.#write();
    return ended;
  }

  async #write(): Promise<void> {
    const children = [...this.#children].map(([name, pid]) => ({ name, pid }));
    await writeFile(this.#file, JSON.stringify({ launcher: process.pid, children } satisfies Running));
  }

  async add(name: string, pid: number | undefined): Promise<void> {
    if (pid === undefined) return;
    this.#children.set(name, pid);
    await this.#write();
  }

  async forget(): Promise<void> {
    await rm(this.#file, { force: true });
  }
}
