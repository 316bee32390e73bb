import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitUntil } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { codeOf, RawClient, startWorld, unrecordedStatements, type World } from './testing/index.js';

let world: World;

beforeAll(async () => {
  world = await startWorld({ ownStore: true, tls: true });
});

afterAll(async () => {
  await world?.stop();
});

async function codeOfFailure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'it worked';
  } catch (error) {
    const { routine, message } = error as pg.DatabaseError;
    return routine ?? message;
  }
}

describe.each([
  ['policy', 'policy.unavailable'],
  ['masking', 'masking.unavailable'],
  ['approval', 'approval.unavailable'],
] as const)('without %s', (name, code) => {
  it('refuses in bounded time, and resumes by itself', async () => {
    const client = await world.connect();
    await client.query('SELECT 1');
    await world.servers[name].close(0);
    await waitUntil(async () => (await codeOfFailure(client.query('SELECT 1'))) !== 'it worked');
    const started = Date.now();
    expect(await codeOfFailure(client.query('SELECT 1'))).toBe(code);
    expect(Date.now() - started).toBeLessThan(3_000);
    await world.serve(name);
    await waitUntil(async () => (await codeOfFailure(client.query('SELECT 1'))) === 'it worked');
    await client.end();
  });
});

describe('without the event log', () => {
  it('runs nothing, and says after recovery how much it refused', async () => {
    const client = await world.connect();
    await client.query('SELECT 1');
    await world.store.kill();
    const started = Date.now();
    const writes = "INSERT INTO events (kind) VALUES ('unrecorded')";
    expect(await codeOfFailure(client.query(writes))).toBe('recording.unavailable');
    expect(Date.now() - started).toBeLessThan(7_000);
    expect(await codeOfFailure(client.query(writes))).toBe('recording.unavailable');
    expect(await codeOfFailure(world.connect())).toBe('recording.unavailable');
    await world.store.restart();
    await waitUntil(async () => (await codeOfFailure(client.query('SELECT 1'))) === 'it worked');
    const { rows } = await world.owner.query(
      "SELECT count(*)::int AS n FROM shop.events WHERE kind = 'unrecorded'",
    );
    expect(rows).toEqual([{ n: 0 }]);
    await client.end();
    const resumed = (await world.events()).find((event) => event.type === 'countersign.recording.resumed.v1');
    expect(resumed?.data).toMatchObject({ refusals: expect.any(Number) });
  });
});

describe('a gateway in a process of its own', () => {
  const children: ChildProcess[] = [];

  async function startChild(
    instance: string,
  ): Promise<{ readonly child: ChildProcess; readonly port: number }> {
    const file = join(world.folder, `${instance}.json`);
    const identity = await world.identityOf(instance);
    const listen = { postgresql: { socket: join(world.folder, '.s.PGSQL.5432') } };
    writeFileSync(file, JSON.stringify({ ...world.settings, instance, logLevel: 'info', identity, listen }));
    const main = fileURLToPath(new URL('main.js', import.meta.url));
    const child = spawn(process.execPath, [main, '--config', file], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    let output = '';
    child.stdout?.on('data', (chunk) => {
      output += String(chunk);
    });
    await waitUntil(() => output.includes('"event":"ready"'));
    return { child, port: Number(/"postgresql":"127\.0\.0\.1:(\d+)"/.exec(output)?.[1]) };
  }

  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
  });

  it('that is killed leaves a decided action without an outcome', async () => {
    const { child, port } = await startChild('ingress-2');
    const client = await world.connect({ port });
    const running = codeOfFailure(client.query('SELECT pg_sleep(30)'));
    const action = await waitUntil(async () => {
      const own = (await world.events()).filter(
        (event) => event.source.endsWith('ingress-2') && event.origin === 'agent',
      );
      return own.find((event) => event.type === 'countersign.action.decided.v1')?.data.action;
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await running).not.toBe('it worked');
    const outcomes = (await world.events()).filter(
      (event) => event.type === 'countersign.action.completed.v1' && event.data.action === action,
    );
    expect(outcomes).toEqual([]);
  });

  it('that is asked to stop tells its agents, and ends their sessions', async () => {
    const { child } = await startChild('ingress-3');
    const client = new pg.Client({
      host: world.folder,
      port: 5432,
      user: 'agent-1',
      database: 'shop',
      password: await world.approval.token(),
    });
    const words = new Promise<string | undefined>((resolve) => {
      client.on('error', (error) => resolve((error as pg.DatabaseError).routine));
    });
    await client.connect();
    await client.query('SELECT 1');
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number];
    expect([await words, code]).toEqual(['service.stopping', 0]);
    const own = (await world.events()).filter((event) => event.source.endsWith('ingress-3'));
    const opened = own.find(
      (event) => event.type === 'countersign.session.opened.v1' && event.origin === 'agent',
    );
    const ended = own.find(
      (event) =>
        event.type === 'countersign.session.ended.v1' && event.correlationid === opened?.correlationid,
    );
    expect([opened?.data, ended?.data]).toMatchObject([
      { transport: 'unix' },
      { reason: 'shutdown', actions: 1 },
    ]);
  });
});

describe('agents over a network', () => {
  it('are served over TLS', async () => {
    const client = new pg.Client({
      host: 'localhost',
      port: world.port,
      user: 'agent-1',
      database: 'shop',
      password: await world.approval.token(),
      ssl: { ca: world.authorityPem },
    });
    await client.connect();
    await client.query('SELECT 1');
    await client.end();
    const opened = (await world.events())
      .filter((event) => event.type === 'countersign.session.opened.v1')
      .at(-1);
    expect(opened?.data).toMatchObject({ transport: 'tls' });
  });

  it('are not asked for a token in clear', async () => {
    const address = Object.values(networkInterfaces())
      .flat()
      .find((candidate) => candidate?.family === 'IPv4' && !candidate.internal)?.address;
    // A machine without a network has nobody to refuse.
    if (address === undefined) return;
    const client = await RawClient.open(world.port, address);
    client.startup({ user: 'agent-1', database: 'shop' });
    expect((await client.until('none')).map((message) => [message.type, codeOf(message)])).toEqual([
      ['E', 'auth.insecure_transport'],
    ]);
  });

  it('cannot slip bytes in front of TLS', async () => {
    const client = await RawClient.open(world.port);
    client.send('00000008 04d2162f 00000010 04d2162e 00000001 00000002');
    expect((await client.until('none')).map(codeOf)).toEqual(['protocol.malformed']);
  });
});

describe('without the target', () => {
  it('tells that an outcome is unknown, and that of a lost commit too', async () => {
    await world.owner.query(`
      CREATE FUNCTION shop.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(20); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON shop.events DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.kind = 'slow') EXECUTE FUNCTION shop.slow()`);
    const reader = await world.connect();
    const writer = await world.connect();
    await writer.query('BEGIN');
    await writer.query("INSERT INTO events (kind) VALUES ('slow')");
    const reading = codeOfFailure(reader.query('SELECT pg_sleep(20)'));
    const committing = codeOfFailure(writer.query('COMMIT'));
    await waitUntil(async () => {
      const { rows } = await world.owner.query(
        `SELECT count(DISTINCT query)::int AS n FROM pg_stat_activity
          WHERE wait_event = 'PgSleep' AND query IN ('COMMIT', 'SELECT pg_sleep(20)')`,
      );
      return rows[0].n === 2;
    });
    await world.postgres.kill();
    expect([await reading, await committing]).toEqual(['target.connection_lost', 'target.connection_lost']);
    await waitUntil(async () =>
      (await world.events()).some((event) => event.type === 'countersign.transaction.ended.v1'),
    );
    const events = await world.events();
    const ended = events.filter((event) => event.type === 'countersign.transaction.ended.v1').at(-1);
    const lost = events.filter(
      (event) => event.type === 'countersign.action.completed.v1' && event.data.status === 'unknown',
    );
    expect([ended?.data.result, lost.length]).toEqual(['unknown', 2]);
    expect(await codeOfFailure(world.connect())).toBe('target.unavailable');
    await world.postgres.restart();
    const again = await world.connect();
    await again.query('SELECT 1');
    await again.end();
  });

  it('nothing ran unrecorded, whatever was killed', async () => {
    expect(await unrecordedStatements(world)).toEqual([]);
  });
});
