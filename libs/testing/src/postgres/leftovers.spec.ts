import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { waitUntil } from '../wait-until.js';
import { startPostgres } from './index.js';
import { readPidFile } from './leftovers.js';

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Starts a server in another process, and ends that process. */
async function orphan(signal: NodeJS.Signals): Promise<{ folder: string; pid: number }> {
  const door = JSON.stringify(new URL('./index.js', import.meta.url).href);
  const program = `const { startPostgres } = await import(${door});
    process.on('SIGTERM', () => process.exit());
    setInterval(() => {}, 1000);
    process.stdout.write((await startPostgres()).logFile);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = (await once(child.stdout, 'data')) as [Buffer];
  const folder = dirname(output.toString());
  const pid = readPidFile(join(folder, 'data'))?.pid ?? 0;
  expect(isAlive(pid)).toBe(true);
  child.kill(signal);
  await once(child, 'close');
  return { folder, pid };
}

describe('a test process that ends without stopping its server', () => {
  it('takes it along where it can', async () => {
    const { pid } = await orphan('SIGTERM');
    await waitUntil(() => !isAlive(pid));
  });

  it('leaves it to the next start otherwise, with all its files', async () => {
    const { folder, pid } = await orphan('SIGKILL');
    expect(existsSync(folder)).toBe(true);
    const next = await startPostgres();
    try {
      expect(existsSync(folder)).toBe(false);
      await waitUntil(() => !isAlive(pid));
    } finally {
      await next.stop();
    }
  });
});
