import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';

const script = fileURLToPath(new URL('../fixtures/greeter.main.js', import.meta.url));
const token = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2ln';

interface Line {
  readonly event?: string;
  readonly code?: string;
  readonly level: string;
  readonly addresses?: { readonly http: string };
}

/** A process of the greeter and what came of it. */
class Greeter {
  readonly child: ChildProcess;
  readonly lines: Line[] = [];
  stdout = '';
  stderr = '';
  readonly exit: Promise<number | null>;

  constructor(env: Record<string, string> = {}, argv: string[] = []) {
    this.child = spawn(process.execPath, [script, ...argv], {
      env: { PATH: process.env.PATH, COUNTERSIGN_INSTANCE: 'one', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.push(this);
    if (this.child.stdout === null || this.child.stderr === null) throw new Error('no pipes');
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.stdout += `${line}\n`;
      if (line.startsWith('{"level"')) this.lines.push(JSON.parse(line) as Line);
    });
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.exit = new Promise((resolve) => this.child.once('close', (code) => resolve(code)));
  }

  /** Resolves with the base URL. */
  async ready(): Promise<string> {
    for (let turn = 0; turn < 1000; turn += 1) {
      const url = this.lines.find(({ event }) => event === 'ready')?.addresses?.http;
      if (url !== undefined) return url;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`not ready: ${this.stdout}${this.stderr}`);
  }

  events(): (string | undefined)[] {
    return this.lines.map(({ event }) => event);
  }
}

const started: Greeter[] = [];
afterEach(() => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL');
});

describe('a service', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('says when it is ready, and stops at %s', async (signal) => {
    const greeter = new Greeter();
    await greeter.ready();
    greeter.child.kill(signal);
    expect(await greeter.exit).toBe(0);
    expect(greeter.events().slice(-3)).toEqual(['ready', 'stopping', 'stopped']);
  });

  it('that cannot stop is ended in bounded time', async () => {
    const greeter = new Greeter({ COUNTERSIGN_FAULT: 'hang', COUNTERSIGN_SHUTDOWN_MILLISECONDS: '200' });
    await greeter.ready();
    greeter.child.kill('SIGTERM');
    expect(await greeter.exit).toBe(1);
    expect(greeter.events().at(-1)).toBe('stop-timed-out');
  });

  it('is ended at once by a second signal', async () => {
    const greeter = new Greeter({ COUNTERSIGN_FAULT: 'hang' });
    await greeter.ready();
    greeter.child.kill('SIGTERM');
    while (!greeter.events().includes('stopping')) await new Promise((resolve) => setTimeout(resolve, 5));
    greeter.child.kill('SIGINT');
    expect(await greeter.exit).toBe(1);
    expect(greeter.events().at(-1)).toBe('stopped-at-once');
  });

  it.each([
    ['start', 'start-failed', 'internal', 70],
    ['disk', 'start-failed', 'service.disk_full', 74],
    ['uncaught', 'uncaught-exception', 'internal', 70],
    ['rejection', 'unhandled-rejection', 'internal', 70],
  ])('with the fault %s ends with a log line and an exit code', async (fault, event, code, exit) => {
    const greeter = new Greeter({ COUNTERSIGN_FAULT: fault });
    expect(await greeter.exit).toBe(exit);
    expect(greeter.lines.at(-1)).toMatchObject({ level: 'fatal', event, code });
    expect(greeter.stdout + greeter.stderr).not.toContain('eyJ');
  });

  it('names a port that is in use', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as { port: number };
    const greeter = new Greeter({ COUNTERSIGN_HTTP__PORT: String(port) });
    expect(await greeter.exit).toBe(78);
    await new Promise((resolve) => void blocker.close(resolve));
    expect(greeter.lines.at(-1)).toMatchObject({ event: 'start-failed', code: 'service.port_in_use' });
    expect(greeter.stderr).toContain(`127.0.0.1:${port}`);
  });

  it('with a wrong configuration says so and ends', async () => {
    const greeter = new Greeter({ COUNTERSIGN_LOG_LEVEL: 'loud', COUNTERSIGN_NONSENSE: '1' });
    expect(await greeter.exit).toBe(78);
    expect(greeter.stderr).toContain('logLevel (COUNTERSIGN_LOG_LEVEL)');
    expect(greeter.stderr).toContain('COUNTERSIGN_NONSENSE: no such key');
  });

  it('prints its help, and its configuration without secrets', async () => {
    const help = new Greeter({}, ['--help']);
    expect(await help.exit).toBe(0);
    expect(help.stdout).toContain('COUNTERSIGN_GREETING');
    const print = new Greeter({ COUNTERSIGN_SIGNATURE: 'hunter2' }, ['--print-config']);
    expect(await print.exit).toBe(0);
    expect(JSON.parse(print.stdout)).toMatchObject({ instance: 'one', signature: '[secret]' });
    expect(print.stdout).not.toContain('hunter2');
  });

  it('goes on when nobody reads its log', async () => {
    const greeter = new Greeter();
    const url = await greeter.ready();
    greeter.child.stdout?.destroy();
    for (let turn = 0; turn < 3; turn += 1) await fetch(`${url}/greetings/failures/x`);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

describe('its HTTP door', () => {
  it('answers health, readiness, metrics and the API page from this machine alone', async () => {
    const greeter = new Greeter({ COUNTERSIGN_GREETING: '' });
    const url = await greeter.ready();
    const get = async (path: string) => {
      const response = await fetch(url + path);
      return { status: response.status, text: await response.text(), headers: response.headers };
    };
    expect(await get('/healthz')).toMatchObject({
      status: 200,
      text: '{"service":"greeter","state":"ready"}',
    });
    const ready = await get('/readyz');
    expect(ready.status).toBe(503);
    expect(JSON.parse(ready.text)).toMatchObject({
      checks: { always: { ok: true }, greeting: { ok: false, code: 'rpc.unavailable' } },
    });
    const api = JSON.parse((await get('/openapi.json')).text) as {
      paths: Record<string, { post: { requestBody: { content: Record<string, { schema: unknown }> } } }>;
    };
    expect(api.paths['/greetings']?.post.requestBody.content['application/json']?.schema).toMatchObject({
      properties: { name: { type: 'string', maxLength: 20 } },
      required: ['name'],
    });
    const page = await get('/docs');
    expect(page.status).toBe(200);
    const parts = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, part]) => part ?? '');
    expect(parts.filter((part) => !part.startsWith('#')).length).toBeGreaterThan(3);
    for (const part of parts.filter((each) => !each.startsWith('#'))) {
      expect(part).not.toMatch(/^(https?:)?\/\//);
      expect((await get(new URL(part, `${url}/docs`).pathname)).status).toBe(200);
    }
    await get('/greetings?limit=5');
    const metrics = (await get('/metrics')).text;
    expect(metrics).toContain('process_cpu_seconds_total');
    expect(metrics).toContain('route="/greetings",status="200"');
    expect(metrics).not.toContain('limit=5');
  });

  it('answers errors as problem details, without the texts of others', async () => {
    const greeter = new Greeter({ COUNTERSIGN_HTTP__BODY_LIMIT_BYTES: '1024' });
    const url = await greeter.ready();
    const post = (body: string, type = 'application/json') =>
      fetch(`${url}/greetings`, { method: 'POST', body, headers: { 'content-type': type } });
    const cases: [Promise<Response>, number, string][] = [
      [fetch(`${url}/greetings/failures/catalogued`), 403, 'policy.denied'],
      [fetch(`${url}/greetings/failures/unknown`), 500, 'internal'],
      [fetch(`${url}/nothing`), 404, 'http.not_found'],
      [fetch(`${url}/greetings/%ff`), 404, 'http.not_found'],
      [fetch(`${url}/greetings/failures/%ff`), 400, 'request.invalid'],
      [fetch(`${url}/greetings?limit=1000`), 400, 'request.invalid'],
      [post('{"name":5}'), 400, 'request.invalid'],
      [post('{"name'), 400, 'request.invalid'],
      [post(`{"name":"${'x'.repeat(2000)}"}`), 413, 'request.too_large'],
      [post('<name/>', 'application/xml'), 400, 'request.invalid'],
    ];
    for (const [answer, status, code] of cases) {
      const response = await answer;
      const text = await response.text();
      expect([response.status, (JSON.parse(text) as { code: string }).code]).toEqual([status, code]);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      expect(text).not.toMatch(/4111|xxx|stack/);
    }
  });

  it('takes over a correlation id, and logs it', async () => {
    const greeter = new Greeter();
    const url = await greeter.ready();
    const response = await fetch(`${url}/greetings/failures/unknown`, {
      headers: { 'x-correlation-id': 'c-1' },
    });
    expect(response.headers.get('x-correlation-id')).toBe('c-1');
    expect(greeter.lines.find(({ event }) => event === 'request-failed')).toMatchObject({
      correlationid: 'c-1',
    });
    const other = await fetch(`${url}/healthz`, { headers: { 'x-correlation-id': token.repeat(5) } });
    expect(other.headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});
