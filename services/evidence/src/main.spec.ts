import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Deployment, startDeployment } from './testing/deployment.store.js';
import { type Issuer, startIssuer } from './testing/issuer.server.js';
import { writeSettings } from './testing/service.server.js';

const program = fileURLToPath(new URL('main.js', import.meta.url));

let deployment: Deployment;
let issuer: Issuer;
let child: ChildProcess | undefined;

beforeAll(async () => {
  [deployment, issuer] = await Promise.all([startDeployment(), startIssuer()]);
}, 60_000);

afterAll(async () => {
  child?.kill('SIGKILL');
  await issuer.close();
  await deployment.stop();
});

describe('the program', () => {
  it('starts by its configuration, says that it is ready, and stops when it is told', async () => {
    const { url } = await deployment.freshDatabase();
    const file = await writeSettings(deployment, issuer, url);
    child = spawn(process.execPath, [program, '--config', file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const events: string[] = [];
    const lines = createInterface({ input: child.stdout as NonNullable<ChildProcess['stdout']> });
    for await (const line of lines) {
      const { event } = JSON.parse(line) as { event: string };
      events.push(event);
      if (event === 'ready') child.kill('SIGTERM');
    }
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(0);
    expect(events).toEqual(['listening', 'ready', 'stopping', 'stopped']);
  });

  it('says which settings are wrong', async () => {
    child = spawn(process.execPath, [program], { stdio: ['ignore', 'ignore', 'pipe'] });
    const chunks: Buffer[] = [];
    child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(78);
    expect(Buffer.concat(chunks).toString()).toMatch(/COUNTERSIGN_CHECKPOINT/);
  });
});
