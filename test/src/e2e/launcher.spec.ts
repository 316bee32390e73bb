import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { portCount } from '@countersign/deploy';
import { freePort, type TemporaryFolder, temporaryFolder, waitUntil } from '@countersign/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { findingsOf, startInstallation } from './support/index.js';

const command = fileURLToPath(new URL('../../../cli/dist/main.js', import.meta.url));
const script = fileURLToPath(new URL('../../../deploy/dist/main.js', import.meta.url));

interface Launched {
  readonly child: ChildProcess;
  /** Everything that was said so far. */
  said(): string;
  /** Exit status. */
  readonly ended: Promise<number>;
  /** What a terminal does at Ctrl-C: a signal for the whole group of processes. */
  interrupt(): void;
}

let folder: TemporaryFolder;
const launched: Launched[] = [];

function launch(...options: readonly string[]): Launched {
  const child = spawn(process.execPath, [script, ...options], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => {
      text += bytes.toString('utf8');
    });
  const one: Launched = {
    child,
    said: () => text,
    ended: once(child, 'close').then(([status]) => Number(status)),
    interrupt: () => process.kill(-(child.pid ?? 0), 'SIGINT'),
  };
  launched.push(one);
  return one;
}

beforeAll(async () => {
  folder = await temporaryFolder('launcher');
  // The databases' own user passes through it.
  await chmod(folder.path, 0o711);
});

afterEach(async () => {
  for (const { child, ended } of launched.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
    await ended;
  }
});

afterAll(() => folder.remove());

/** Waits until a launcher has said something; fails with its words if it ends before. */
async function heard(one: Launched, text: string): Promise<void> {
  const said = waitUntil(() => one.said().includes(text), { timeout: 90_000, what: text });
  const ended = one.ended.then((status) => {
    if (!one.said().includes(text)) throw new Error(`It ended with status ${status}: ${one.said()}`);
  });
  await Promise.race([said, ended]);
}

/** Gets a token by the command that the launcher prints. */
async function tokenFor(said: string): Promise<string> {
  const asked = /countersign (token .* --audience clinic .*)/.exec(said)?.[1]?.split(' ') ?? [];
  const { stdout } = await promisify(execFile)(process.execPath, [command, ...asked]);
  return stdout.trim();
}

/** A first port whose followers are likely free too. */
async function firstPort(): Promise<string> {
  return String(Math.min(await freePort(), 32_768 - portCount - 1));
}

describe('the launcher', () => {
  it('stops in order at Ctrl-C while a statement runs, and evidence finds nothing wrong', async () => {
    const data = join(folder.path, 'interrupted');
    const first = launch('--no-tour', '--data', data, '--port', await firstPort());
    await heard(first, 'stays up');
    const port = Number(/port=(\d+)/.exec(first.said())?.[1]);
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      database: 'clinic',
      user: 'agent:a-analyst',
      password: await tokenFor(first.said()),
    });
    client.on('error', () => undefined);
    await client.connect();
    const slow = client
      .query('SELECT count(*) FROM clinic.appointments AS a, clinic.appointments AS b WHERE a.id + b.id < 0')
      .then(
        () => 'rows',
        (error: { routine?: string }) => error.routine ?? 'lost',
      );
    await new Promise((resolve) => setTimeout(resolve, 300));
    first.interrupt();
    expect(await first.ended).toBe(0);
    expect(first.said()).toContain('Stopped.');
    expect(await slow).not.toBe('target.connection_lost');
    await client.end().catch(() => undefined);

    const again = await startInstallation(undefined, data);
    try {
      expect(await findingsOf(again.evidence)).toEqual([]);
    } finally {
      await again.stop();
    }
  }, 240_000);

  it('stops what it has started when it is interrupted on the way', async () => {
    const early = launch('--no-tour', '--data', join(folder.path, 'early'), '--port', await firstPort());
    await heard(early, 'two PostgreSQL servers');
    early.interrupt();
    expect(await early.ended).toBe(130);
    expect(early.said()).toContain('Stopped.');
    expect(early.said()).not.toContain('error');
  }, 120_000);

  it('names a folder that cannot be used', async () => {
    const file = fileURLToPath(import.meta.url);
    for (const data of [file, '/proc/countersign']) {
      const refused = launch('--no-tour', '--data', data, '--port', await firstPort());
      expect(await refused.ended).toBe(1);
      expect(refused.said()).toContain(`The folder ${data} cannot be used`);
    }
  }, 60_000);

  it('refuses options that contradict one another', async () => {
    const refused = launch('--once', '--no-tour');
    expect(await refused.ended).not.toBe(0);
    expect(refused.said()).toContain('--no-tour');
  });
});
