import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cache } from '../cache.js';
import { abandonedInstances } from '../instances.js';

/** Ends brokers and removes folders of test processes that died before they could. */
export async function sweepLeftovers(cache: Cache): Promise<void> {
  for (const folder of await abandonedInstances(cache)) {
    const pid = Number.parseInt(await readFile(join(folder, 'broker.pid'), 'utf8').catch(() => ''), 10);
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.split('\0').includes(join(folder, 'server.properties'))) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It went by itself.
      }
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }).catch(() => undefined);
  }
}
