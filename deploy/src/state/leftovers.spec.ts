import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '@countersign/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { belongingTo, takeFolder } from './leftovers.js';
import { demandFree, portsFrom } from './ports.js';

let folder: TemporaryFolder;
let started: ChildProcess[];

beforeEach(async () => {
  folder = await temporaryFolder();
  started = [];
});

afterEach(async () => {
  for (const child of started) child.kill('SIGKILL');
  await folder.remove();
});

/** A process whose command line ends with these words. */
async function sleeper(...words: string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', '--', ...words], {
    stdio: 'ignore',
  });
  started.push(child);
  await once(child, 'spawn');
  return child;
}

describe('what belongs to a data folder', () => {
  const all = [
    {
      pid: 1,
      command: 'node /opt/cs/services/policy/dist/main.js --config /srv/data/configurations/policy.json',
    },
    {
      pid: 2,
      command: 'node /opt/cs/services/policy/dist/main.js --config /srv/data2/configurations/policy.json',
    },
    { pid: 3, command: '/opt/native/bin/postgres -D /srv/data/store -c port=15436' },
    { pid: 6, command: 'java -cp /opt/jars/* kafka.Kafka /srv/data/kafka/server.properties' },
    { pid: 7, command: 'java -cp /opt/jars/* kafka.Kafka /srv/other/kafka/server.properties' },
    { pid: 4, command: 'vi /srv/data/configurations/policy.json' },
    { pid: 5, command: '/usr/lib/postgresql/bin/postgres -D /var/lib/postgresql' },
  ];

  it('is told by the command line, and nothing else is', () => {
    const found = belongingTo('/srv/data', all).map(({ pid, name }) => [pid, name]);
    expect(found).toEqual([
      [1, 'policy'],
      [3, 'PostgreSQL'],
      [6, 'Kafka'],
    ]);
  });
});

describe('taking a folder', () => {
  it('ends what a dead launcher left over, and says so', async () => {
    const left = await sleeper('services/policy/dist/main.js', '--config', join(folder.path, 'policy.json'));
    const gone = once(left, 'exit');
    const { ended, release } = await takeFolder(folder.path);
    await gone;
    expect(ended).toEqual(['policy']);
    expect(await readFile(join(folder.path, 'launcher.pid'), 'utf8')).toBe(String(process.pid));
    await release();
  });

  it('is refused while another launcher lives', async () => {
    const launcher = await sleeper('deploy/dist/main.js');
    await writeFile(join(folder.path, 'launcher.pid'), String(launcher.pid));
    await expect(takeFolder(folder.path)).rejects.toMatchObject({
      code: 'service.already_running',
      message: expect.stringContaining(`Process ${launcher.pid} runs`),
    });
  });
});

describe('ports', () => {
  it('that are taken are all named', async () => {
    const ports = portsFrom(28_100);
    const server = createServer().listen(ports.store, '127.0.0.1');
    await once(server, 'listening');
    await expect(demandFree(ports)).rejects.toMatchObject({
      message: expect.stringContaining(`${ports.store} (for store)`),
    });
    server.close();
    await once(server, 'close');
    await expect(demandFree(ports)).resolves.toBeUndefined();
  });
});
