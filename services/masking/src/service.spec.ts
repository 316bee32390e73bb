import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Facts, maskingRpc, opaqueFacts } from '@countersign/contracts';
import { openEventLog } from '@countersign/event-log';
import { createDeploymentAuthority, issueInstanceCertificate, parseEnvelope } from '@countersign/ledger';
import { connectRpc, type RpcClient } from '@countersign/rpc';
import { type TemporaryFolder, temporaryFolder, waitUntil } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { catalogueResults, corpus, type Shop, startShop } from './fixtures/index.js';

type Client = RpcClient<typeof maskingRpc.MaskingServiceService>;

let shop: Shop;
let database: pg.Client;
let folder: TemporaryFolder;
let child: ChildProcess;
let client: Client;
const lines: string[] = [];
const ending = new AbortController();
const announced: { target: string; contextDigest: string }[] = [];

const eventLogUrl = () => shop.server.url('events');
const find = (event: string) =>
  lines.map((line) => JSON.parse(line) as Record<string, unknown>).findLast((line) => line.event === event);

beforeAll(async () => {
  [shop, folder] = await Promise.all([startShop(), temporaryFolder('masking')]);
  database = await shop.connect('shop');
  await shop.change(['SELECT 1']);
  const owner = new (await import('pg')).default.Client({ connectionString: shop.server.url() });
  await owner.connect();
  await owner.query('CREATE DATABASE events');
  await owner.end();
  // The log's schema is there before the service, which may only append and read.
  await (await openEventLog(eventLogUrl())).close();
  const authority = await createDeploymentAuthority('specification', new Date());
  const identity = await issueInstanceCertificate(authority, {
    service: 'masking',
    instance: 'masking-1',
    now: new Date(),
  });
  const file = (name: string, content: string) => {
    writeFileSync(join(folder.path, name), content, { mode: 0o600 });
    return join(folder.path, name);
  };
  const configuration = file(
    'masking.json',
    JSON.stringify({
      instance: 'masking-1',
      grpc: { address: `unix:${join(folder.path, 'grpc.sock')}` },
      eventLog: eventLogUrl(),
      identity: {
        certificateFile: file('certificate.pem', identity.certificatePem),
        privateKeyFile: file('key.pem', identity.privateKeyPem),
      },
      targets: { shop: { labels: file('labels.json', corpus('labels.json')) } },
      valueKeyFile: join(folder.path, 'value-key.json'),
      createValueKey: true,
      keyEncryptionKey: { file: file('kek', Buffer.alloc(32, 3).toString('base64')) },
    }),
  );
  const main = fileURLToPath(new URL('main.js', import.meta.url));
  child = spawn(process.execPath, [main, '--config', configuration], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  await waitUntil(() => find('ready') !== undefined, { timeout: 20_000 });
  client = connectRpc(maskingRpc.MaskingServiceService, {
    address: `unix:${join(folder.path, 'grpc.sock')}`,
  });
}, 60_000);

afterAll(async () => {
  ending.abort();
  await client.close();
  child.kill('SIGKILL');
  await database.end();
  await shop.stop();
  await folder.remove();
});

const context = (statement: string, target = 'shop') => ({ target, statement, parameterTypes: [] });

async function factsOf(statement: string): Promise<Facts> {
  const { facts } = await client.inspect({ context: context(statement) });
  return JSON.parse(facts.toString()) as Facts;
}

async function watch(): Promise<void> {
  try {
    for await (const news of client.watch({}, { signal: ending.signal })) announced.push(news);
  } catch {
    // Ended by the specification.
  }
}

describe('the masking service', () => {
  it('knows nothing before it was given a catalogue, and nothing of other targets', async () => {
    await expect(client.inspect({ context: context('SELECT 1') })).rejects.toMatchObject({
      code: 'masking.catalogue_missing',
    });
    await expect(client.inspect({ context: context('SELECT 1', 'other') })).rejects.toMatchObject({
      code: 'target.unknown',
    });
    await expect(client.catalogueQueries({ target: 'other' })).rejects.toMatchObject({
      code: 'target.unknown',
    });
    await expect(client.inspect({ context: undefined })).rejects.toMatchObject({ code: 'request.invalid' });
  });

  it('refuses rows that are not what its queries give', async () => {
    const good = await catalogueResults(database);
    const load = (results: { name: string; rows: Buffer }[]) =>
      client.loadCatalogue({ target: 'shop', results });
    for (const wrong of [
      [],
      good.slice(1),
      good.map(({ name }) => ({ name, rows: Buffer.from('x') })),
      good.map(({ name }) => ({ name, rows: Buffer.from('[]') })),
      good.map(({ name }) => ({ name, rows: Buffer.from('[{"a":1}]') })),
    ])
      await expect(load(wrong)).rejects.toMatchObject({ code: 'request.invalid' });
  });

  it('takes its catalogue by its own queries, records it, and tells who watches', async () => {
    void watch();
    const { queries } = await client.catalogueQueries({ target: 'shop' });
    expect(queries.map(({ name }) => name)).toContain('columns');
    const results = await catalogueResults(database, queries);
    const { contextDigest } = await client.loadCatalogue({ target: 'shop', results });
    expect(contextDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
    await waitUntil(() => announced.some((news) => news.contextDigest === contextDigest));
    // The same rows are the same context: nothing is recorded or told twice.
    expect((await client.loadCatalogue({ target: 'shop', results })).contextDigest).toBe(contextDigest);
    const log = await openEventLog(eventLogUrl());
    const head = await log.head('countersign.masking.v1', '/masking/masking-1');
    const envelope = parseEnvelope(head?.value ?? new Uint8Array());
    expect([envelope.type, envelope.data]).toEqual([
      'countersign.masking.activated.v1',
      expect.objectContaining({ target: 'shop', contextDigest }),
    ]);
    expect(envelope.seq).toBe('1');
    await log.close();
    expect(announced).toHaveLength(1);
  });

  it('inspects, rewrites and releases', async () => {
    const statement = 'SELECT id, full_name, email FROM shop.customers WHERE id = 1';
    expect((await factsOf(statement)).labels.map(({ label }) => label)).toEqual([
      'contact.email',
      'person.name',
    ]);
    const { result } = await client.rewrite({ context: context(statement), profile: 'analyst', lookups: [] });
    if (result?.$case !== 'rewritten') throw new Error('The statement was refused.');
    const { rows } = await database.query<{ full_name: string; email: string }>(result.value.statement);
    expect(rows[0]?.full_name).toBe('***');
    expect(result.value).toMatchObject({
      masked: true,
      releasedColumns: [{ index: 2, label: 'contact.email' }],
    });
    const cell = { label: 'contact.email', value: Buffer.from(rows[0]?.email ?? '') };
    const { values } = await client.release({ target: 'shop', profile: 'analyst', cells: [cell, cell] });
    expect(values[0]?.toString()).toMatch(/^s_[a-z2-7]{26}$/);
    expect(values[0]).toEqual(values[1]);
    const refused = await client.rewrite({
      context: context("SELECT id FROM shop.customers WHERE full_name = 'zq1'"),
      profile: 'analyst',
      lookups: [],
    });
    expect(refused.result).toMatchObject({ $case: 'refusal', value: { code: 'masking.opaque_predicate' } });
    expect(JSON.stringify(refused.result)).not.toContain('zq1');
  });

  it('goes on after statements that break parsers', async () => {
    const poison = `SELECT 1${'+1'.repeat(200_000)}`;
    // While a thread is replaced, what has waited too long is refused: whoever asks again is answered.
    const answered = (statement: string) =>
      waitUntil(() => factsOf(statement), { timeout: 60_000, what: 'a thread' });
    const answers = await Promise.all([1, 2, 3].map(() => answered(poison)));
    expect(answers).toEqual([opaqueFacts('too-large'), opaqueFacts('too-large'), opaqueFacts('too-large')]);
    await waitUntil(async () => {
      const code = await client.rewrite({ context: context(poison), profile: 'analyst', lookups: [] }).then(
        () => 'rewritten',
        (error: { code?: string }) => error.code,
      );
      return code === 'statement.too_large';
    });
    expect((await answered('SELECT 1')).verbs).toEqual(['read']);
  }, 120_000);

  it('logs no statement, value or key, and stops when told', async () => {
    const { http } = (find('ready') as { addresses: { http: string } }).addresses;
    await waitUntil(async () => (await fetch(`${http}/readyz`)).status === 200, { what: 'readiness' });
    expect(await (await fetch(`${http}/targets`)).json()).toEqual([
      { target: 'shop', contextDigest: announced[0]?.contextDigest },
    ]);
    const text = lines.join('\n') + (await (await fetch(`${http}/metrics`)).text());
    for (const secret of ['zq1', '@mail.example.com', Buffer.alloc(32, 3).toString('base64')])
      expect(text).not.toContain(secret);
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(0);
  }, 20_000);
});
