import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CountersignError } from '@countersign/errors';

export interface ListedProcess {
  readonly pid: number;
  readonly command: string;
}

const graceMilliseconds = 5_000;
const launcherScript = 'deploy/dist/main.js';

async function listProcesses(): Promise<readonly ListedProcess[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,command='], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, command] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid === undefined || command === undefined ? [] : [{ pid: Number(pid), command }];
  });
}

/** Services and servers of a data folder, by their command lines: those that a launcher starts, no other. */
export function belongingTo(
  folder: string,
  processes: readonly ListedProcess[],
): readonly (ListedProcess & { readonly name: string })[] {
  return processes.flatMap((one) => {
    const service = /services\/([a-z-]+)\/dist\/main\.js --config (.*)$/.exec(one.command);
    const server = /\/postgres -D (\S+)/.exec(one.command);
    const sample = /deploy\/dist\/sample-api\/([a-z-]+)\.main\.js .*--key-file (.*)$/.exec(one.command);
    const broker = /^\S*java .*kafka\.Kafka (.*)\/server\.properties$/.exec(one.command);
    const own = service ?? sample;
    const [name, path] =
      own !== null ? [own[1], own[2]] : broker !== null ? ['Kafka', broker[1]] : ['PostgreSQL', server?.[1]];
    return name !== undefined && path?.startsWith(`${folder}/`) ? [{ ...one, name }] : [];
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function end(pid: number): Promise<void> {
  // SIGINT: PostgreSQL calls it a fast shutdown, the others a graceful one.
  process.kill(pid, 'SIGINT');
  for (let waited = 0; waited < graceMilliseconds && isAlive(pid); waited += 50) await delay(50);
  if (isAlive(pid)) process.kill(pid, 'SIGKILL');
}

/**
 * Takes a data folder for this launcher: refuses to go on beside a living one, and ends services and servers
 * that a dead one left over. Errors: service.already_running naming the living launcher.
 * @returns the names of what was ended, and a way to give the folder back
 */
export async function takeFolder(
  folder: string,
): Promise<{ readonly ended: readonly string[]; release(): Promise<void> }> {
  const file = join(folder, 'launcher.pid');
  const before = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
  const processes = await listProcesses();
  const living = processes.find(({ pid, command }) => pid === before && command.includes(launcherScript));
  if (living !== undefined && living.pid !== process.pid) {
    throw new CountersignError('service.already_running', {
      detail: `Process ${living.pid} runs on ${folder}.`,
      next: `Stop it with Ctrl-C or "kill ${living.pid}", or name another folder with --data.`,
    });
  }
  await writeFile(file, String(process.pid));
  const left = belongingTo(folder, processes);
  await Promise.all(left.map(({ pid }) => end(pid)));
  return { ended: left.map(({ name }) => name), release: () => rm(file, { force: true }) };
}
