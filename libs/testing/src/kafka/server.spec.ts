import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { CountersignError } from '@countersign/errors';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../temporary-folder.js';
import { waitUntil } from '../wait-until.js';
import { startKafka, whyNoKafka } from './index.js';
import { findJava } from './jars.js';

const missing = await whyNoKafka();
const withKafka = missing === null ? describe : describe.skip;

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => socket.end(() => resolve(true)));
    socket.once('error', () => resolve(false));
  });

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

withKafka('startKafka', () => {
  it('serves below the ephemeral ports, comes back after a kill, and leaves nothing behind', async () => {
    const kafka = await startKafka({ users: { reader: 'secret' }, tls: true });
    const folder = dirname(kafka.logFile);
    try {
      expect(kafka.port).toBeLessThan(32_768);
      expect(await answers(kafka.port)).toBe(true);
      expect(kafka.url('reader')).toMatch(/^kafka:\/\/reader:secret@127\.0\.0\.1:\d+\?tls=%2F/);
      expect(await readFile(kafka.authorityFile ?? '', 'utf8')).toContain('BEGIN CERTIFICATE');
      // No password is left where others can read it.
      expect(existsSync(join(folder, 'format.arguments'))).toBe(false);
      await kafka.kill();
      expect(await answers(kafka.port)).toBe(false);
      await kafka.restart();
      expect(await answers(kafka.port)).toBe(true);
    } finally {
      await kafka.stop();
    }
    expect(existsSync(folder)).toBe(false);
  });

  it('keeps a folder that it was given, which may come back on another port', async () => {
    const folder = await temporaryFolder('kafka');
    try {
      const data = join(folder.path, 'kafka');
      const first = await startKafka({ data });
      const id = await readFile(join(data, 'data/meta.properties'), 'utf8');
      await first.stop();
      const second = await startKafka({ data });
      await second.stop();
      expect(await readFile(join(data, 'data/meta.properties'), 'utf8')).toBe(id);
    } finally {
      await folder.remove();
    }
  });

  it('sweeps up what a killed test process left', async () => {
    const door = JSON.stringify(new URL('./index.js', import.meta.url).href);
    const program = `const { startKafka } = await import(${door});
      setInterval(() => {}, 1000);
      process.stdout.write((await startKafka()).logFile);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output] = (await once(child.stdout, 'data')) as [Buffer];
    const folder = dirname(output.toString());
    const pid = Number(await readFile(join(folder, 'broker.pid'), 'utf8'));
    child.kill('SIGKILL');
    await once(child, 'close');
    const next = await startKafka();
    try {
      expect(existsSync(folder)).toBe(false);
      if (pid > 0) await waitUntil(() => !isAlive(pid));
    } finally {
      await next.stop();
    }
  });
});

describe('a machine without Java', () => {
  it('is told what to install, and what to do otherwise', async () => {
    const home = process.env.JAVA_HOME;
    process.env.JAVA_HOME = '/nowhere';
    try {
      const error = await findJava().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(CountersignError);
      expect(String(error)).toContain('there is no `java`');
      expect((error as CountersignError).next).toContain('EVENT_LOG_URL=kafka://');
    } finally {
      if (home === undefined) delete process.env.JAVA_HOME;
      else process.env.JAVA_HOME = home;
    }
  });
});
