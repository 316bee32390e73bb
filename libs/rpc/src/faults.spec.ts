import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { policyRpc } from '@countersign/contracts';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { commandOf } from './fixtures/echo.js';
import { Running, refusal, until } from './fixtures/running.driver.js';
import { connectRpc, serveRpc } from './index.js';

let running: Running;
beforeEach(() => {
  running = new Running();
});
afterEach(() => running.end());

const hang = { input: commandOf({ do: 'hang' }) };

describe('a service that is killed', () => {
  it('fails what is in flight at once, and is found again', async () => {
    const first = await running.spawn();
    const client = running.connect();
    await client.whenConnected();
    const held = Array.from({ length: 50 }, () =>
      refusal(client.decide(hang, { deadlineMilliseconds: 60_000 })),
    );
    await client.decide({ input: Buffer.from('all are sent') });
    const began = Date.now();
    first.kill('SIGKILL');
    const codes = new Set((await Promise.all(held)).map(({ code }) => code));
    expect([...codes]).toEqual(['rpc.unavailable']);
    expect(Date.now() - began).toBeLessThan(1000);

    // The dead process left its socket behind.
    expect(existsSync(join(running.folder, 'echo.sock'))).toBe(true);
    await running.spawn();
    await client.whenConnected();
    await client.decide({ input: Buffer.from('again') });
  });

  it('never has a call repeated behind the caller’s back', async () => {
    const seen = { calls: 0, aborted: [], watchers: 0 };
    const first = await running.serve({}, seen);
    const client = running.connect();
    await client.whenConnected();
    const held = refusal(client.decide(hang));
    await until(() => seen.calls === 1);
    await first.close(20);
    expect(await held).toMatchObject({ code: 'rpc.unavailable' });
    await running.serve({}, seen);
    await client.whenConnected();
    await client.decide({ input: Buffer.from('new') });
    expect(seen.calls).toBe(2);
  });

  it('is waited for in many rounds without losing or doubling an answer', async () => {
    const address = running.socket();
    const client = running.connect();
    let [answered, failed] = [0, 0];
    const codes = new Set<string>();
    let going = true;
    const callers = Array.from({ length: 8 }, async (_, caller) => {
      for (let turn = 0; going; turn += 1) {
        const input = Buffer.from(`${caller}:${turn}`);
        try {
          const { decision } = await client.decide({ input });
          expect(decision.equals(input)).toBe(true);
          answered += 1;
        } catch (error) {
          codes.add((error as { code: string }).code);
          failed += 1;
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      }
    });
    for (let round = 0; round < 4; round += 1) {
      const child = await running.spawn(address);
      await client.whenConnected();
      const before = answered;
      await until(() => answered > before + 200);
      child.kill('SIGKILL');
      await until(() => !client.connected);
    }
    going = false;
    await Promise.all(callers);
    expect(answered).toBeGreaterThan(800);
    expect(failed).toBeGreaterThan(0);
    expect([...codes]).toEqual(['rpc.unavailable']);
    expect(client.inFlight).toBe(0);
  });
});

describe('a service that is stopped', () => {
  it('keeps callers waiting no longer than their deadlines, with bounded calls in flight', async () => {
    const child = await running.spawn();
    const client = running.connect({ maxInFlight: 100 });
    await client.whenConnected();
    child.kill('SIGSTOP');
    const large = Buffer.alloc(100_000);
    const codes = new Map<string, number>();
    for (let round = 0; round < 4; round += 1) {
      const calls = Array.from({ length: 150 }, () =>
        refusal(client.decide({ input: large }, { deadlineMilliseconds: 100 })),
      );
      for (const { code } of await Promise.all(calls)) codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    expect(Object.fromEntries(codes)).toEqual({ 'rpc.deadline': 400, 'rpc.overloaded': 200 });
    expect(client.inFlight).toBe(0);
    child.kill('SIGCONT');
    await until(() => client.connected);
    await client.decide({ input: Buffer.from('awake') });
  });

  it('that finishes in its grace answers what is in flight and refuses the rest', async () => {
    const server = await running.serve();
    const client = running.connect();
    await client.whenConnected();
    const held = client.decide({ input: commandOf({ do: 'sleep', milliseconds: 100 }) });
    await until(() => server.inFlight === 1);
    const closed = server.close(5000);
    const late = refusal(client.decide({ input: Buffer.from('late') }));
    expect((await held).decision.toString()).toContain('sleep');
    expect(['service.stopping', 'rpc.unavailable']).toContain((await late).code);
    await closed;
    expect(existsSync(join(running.folder, 'echo.sock'))).toBe(false);
  });

  it('does not wait for handlers beyond its grace', async () => {
    const server = await running.serve();
    const client = running.connect();
    const held = refusal(client.decide(hang));
    await until(() => server.inFlight === 1);
    const began = Date.now();
    await server.close(100);
    expect(Date.now() - began).toBeLessThan(1500);
    expect(await held).toMatchObject({ code: 'rpc.unavailable' });
  });
});

describe('an address', () => {
  it('that is held by a live process is refused', async () => {
    await running.serve();
    expect(await refusal(running.serve())).toMatchObject({ code: 'service.port_in_use' });
  });

  it('of TCP that is held is refused', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    running.later(() => new Promise((resolve) => void blocker.close(() => resolve())));
    const { port } = blocker.address() as { port: number };
    expect(await refusal(running.serve({ address: `127.0.0.1:${port}` }))).toMatchObject({
      code: 'service.port_in_use',
    });
  });

  it('of TCP on loopback works without TLS, elsewhere it is refused', async () => {
    const server = await running.serve({ address: '127.0.0.1:0' });
    const client = running.connect({ address: server.address });
    await client.decide({ input: Buffer.from('x') });
    expect(await refusal(running.serve({ address: '0.0.0.0:0' }))).toMatchObject({ code: 'config.invalid' });
    expect(() => connectRpc(policyRpc.PolicyServiceService, { address: 'policy.example:443' })).toThrow(
      expect.objectContaining({ code: 'config.invalid' }),
    );
  });

  it('in a folder that others may enter is refused; one that is missing is made private', async () => {
    const open = join(running.folder, 'open');
    mkdirSync(open);
    chmodSync(open, 0o755);
    const services = [] as const;
    expect(await refusal(serveRpc({ address: `unix:${open}/a.sock`, services }))).toMatchObject({
      code: 'config.invalid',
    });
    const server = await running.serve({ address: `unix:${running.folder}/deep/made/a.sock` });
    expect(statSync(join(running.folder, 'deep/made')).mode & 0o777).toBe(0o700);
    expect(statSync(join(running.folder, 'deep/made/a.sock')).mode & 0o777).toBe(0o600);
    await server.close(100);
  });

  it('where a file stands that is no socket is refused, and the file stays', async () => {
    const file = join(running.folder, 'echo.sock');
    writeFileSync(file, 'precious');
    expect(await refusal(running.serve())).toMatchObject({ code: 'config.invalid' });
    expect(existsSync(file)).toBe(true);
  });
});
