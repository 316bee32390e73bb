import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { digestOf, policyRpc } from '@countersign/contracts';
import { type EventLog, openEventLog } from '@countersign/event-log';
import { createDeploymentAuthority, issueInstanceCertificate, parseEnvelope } from '@countersign/ledger';
import { loadPolicy } from '@countersign/policy-runtime';
import { connectRpc } from '@countersign/rpc';
import {
  type PostgresInstance,
  startPostgres,
  type TemporaryFolder,
  temporaryFolder,
  waitUntil,
} from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bundleWithRoles, committedBundle, readingInput } from './fixtures/bundles.js';

const main = fileURLToPath(new URL('main.js', import.meta.url));
const next = bundleWithRoles((roles) => {
  for (const role of Object.values(roles)) role.verbs = [];
});

let postgres: PostgresInstance;
let folder: TemporaryFolder;
let log: EventLog;
let instances = 0;
const running: ChildProcess[] = [];
/** What lets go of connections, whatever became of the specification. */
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  [postgres, folder] = await Promise.all([startPostgres(), temporaryFolder()]);
  log = await openEventLog(postgres.url());
  const authority = await createDeploymentAuthority('specification', new Date());
  for (const instance of ['policy-1', 'policy-2', 'policy-3', 'policy-4']) {
    const identity = await issueInstanceCertificate(authority, {
      service: 'policy',
      instance,
      now: new Date(),
    });
    writeFileSync(join(folder.path, `${instance}.crt`), identity.certificatePem);
    writeFileSync(join(folder.path, `${instance}.key`), identity.privateKeyPem);
  }
});
afterAll(async () => {
  for (const close of closing) await close();
  for (const child of running) child.kill('SIGKILL');
  await log.close();
  await postgres.stop();
  await folder.remove();
});

interface Service {
  readonly child: ChildProcess;
  readonly bundleFile: string;
  readonly address: string;
  readonly lines: Record<string, unknown>[];
  readonly ended: Promise<number | null>;
  /** Resolves when a line with that event has been logged. */
  logged(event: string): Promise<Record<string, unknown>>;
  http(path: string): Promise<Response>;
}

/** So seldom that a change is seen by SIGHUP alone. */
const unseen = 3_600_000;

/** Starts the service as the process it is. */
function start(bundle: Uint8Array, pollMilliseconds = unseen): Service {
  instances += 1;
  const instance = `policy-${instances}`;
  const home = join(folder.path, `${instance}.d`);
  mkdirSync(home, { mode: 0o700 });
  const bundleFile = join(home, 'bundle.tar.gz');
  const address = `unix:${join(home, 'grpc.sock')}`;
  writeFileSync(bundleFile, bundle);
  const configuration = join(home, 'policy.json');
  writeFileSync(
    configuration,
    JSON.stringify({
      instance,
      grpc: { address },
      eventLog: postgres.url(),
      identity: {
        certificateFile: join(folder.path, `${instance}.crt`),
        privateKeyFile: join(folder.path, `${instance}.key`),
      },
      bundle: { file: bundleFile, pollMilliseconds },
    }),
  );
  const child = spawn(process.execPath, [main, '--config', configuration], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  running.push(child);
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
  const find = (event: string) => lines.findLast((line) => line.event === event);
  return {
    child,
    bundleFile,
    address,
    lines,
    ended: once(child, 'exit').then(([code]) => code as number | null),
    async logged(event) {
      await waitUntil(() => find(event) !== undefined);
      return find(event) ?? {};
    },
    async http(path) {
      const { addresses } = find('ready') as { addresses: { http: string } };
      return fetch(`${addresses.http}${path}`);
    },
  };
}

/** Activations that a producer recorded, in order. */
async function activationsOf(source: string): Promise<unknown[]> {
  const found: unknown[] = [];
  const ending = new AbortController();
  const head = await log.head('countersign.policy.v1', source);
  if (head === null) return [];
  await log.subscribe({
    topics: ['countersign.policy.v1'],
    from: new Map(),
    signal: ending.signal,
    async onBatch(records) {
      for (const record of records) {
        if (record.key !== source) continue;
        const envelope = parseEnvelope(record.value);
        if (envelope.type === 'countersign.policy.activated.v1') found.push(envelope.data);
        if (record.position === head.position) ending.abort();
      }
    },
  });
  return found;
}

describe('the policy service', () => {
  it('decides, tells who watches of a change, refuses a bad bundle, and records each activation', async () => {
    const service = start(committedBundle());
    await service.logged('ready');
    const one = await loadPolicy(committedBundle());
    const other = await loadPolicy(next);
    const client = connectRpc(policyRpc.PolicyServiceService, { address: service.address });
    const ending = new AbortController();
    closing.push(
      () => ending.abort(),
      () => client.close(),
    );
    const told: string[] = [];
    const watching = (async () => {
      for await (const { policyDigest } of client.watch({}, { signal: ending.signal }))
        told.push(policyDigest);
    })().catch(() => undefined);

    const allowed = await client.decide({ input: readingInput() });
    expect(JSON.parse(allowed.decision.toString())).toEqual(
      one.decide(JSON.parse(readingInput().toString())),
    );
    expect(allowed).toMatchObject({ inputDigest: digestOf(readingInput()), policyDigest: one.policyDigest });
    await expect(client.decide({ input: Buffer.from('{ }') })).rejects.toMatchObject({
      code: 'request.invalid',
    });
    expect(await (await service.http('/policy')).json()).toEqual({
      policyDigest: one.policyDigest,
      bundleDigest: one.bundleDigest,
    });
    expect((await service.http('/readyz')).status).toBe(200);
    await waitUntil(() => told.length === 1);

    writeFileSync(service.bundleFile, committedBundle().subarray(0, 4000));
    service.child.kill('SIGHUP');
    await service.logged('bundle-refused');
    expect((await client.decide({ input: readingInput() })).policyDigest).toBe(one.policyDigest);
    expect((await service.http('/readyz')).status).toBe(200);

    writeFileSync(`${service.bundleFile}.new`, next);
    renameSync(`${service.bundleFile}.new`, service.bundleFile);
    service.child.kill('SIGHUP');
    await waitUntil(() => told.length === 2);
    const denied = await client.decide({ input: readingInput() });
    expect(JSON.parse(denied.decision.toString())).toMatchObject({ verdict: 'deny' });
    expect(denied.policyDigest).toBe(other.policyDigest);
    expect(told).toEqual([one.policyDigest, other.policyDigest]);

    const metrics = await (await service.http('/metrics')).text();
    expect(metrics).toMatch(/countersign_policy_decisions_total\{verdict="deny",source="policy",.*\} 1/);
    expect(await activationsOf('/policy/policy-1')).toEqual([
      { policyDigest: one.policyDigest, bundleDigest: one.bundleDigest, previous: null },
      { policyDigest: other.policyDigest, bundleDigest: other.bundleDigest, previous: one.policyDigest },
    ]);

    service.child.kill('SIGTERM');
    expect(await service.ended).toBe(0);
    ending.abort();
    await watching;
  });

  it('looks at the file by itself', async () => {
    const service = start(committedBundle(), 100);
    await service.logged('ready');
    writeFileSync(`${service.bundleFile}.new`, next);
    renameSync(`${service.bundleFile}.new`, service.bundleFile);
    const { policyDigest } = await loadPolicy(next);
    await waitUntil(() => service.lines.some((line) => line.policyDigest === policyDigest));
    service.child.kill('SIGTERM');
    expect(await service.ended).toBe(0);
  });

  it('does not start on a bad bundle, and says why', async () => {
    const service = start(Buffer.from('no bundle'));
    expect(await service.ended).not.toBe(0);
    expect(service.lines.find((line) => line.event === 'start-failed')).toMatchObject({
      code: 'policy.bundle_invalid',
    });
  });
});
