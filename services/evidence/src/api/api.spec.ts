import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '@countersign/contracts';
import { type Control, controls, type EvidenceRecord } from '@countersign/controls';
import type { Producer } from '@countersign/ledger';
import { waitUntil } from '@countersign/testing';
import {
  decodeEntryBundle,
  fromBase64,
  leafHash,
  noteVerifier,
  openCheckpoint,
  verifyInclusion,
} from '@countersign/transparency';
import { verifyDossier } from '@countersign/verifier';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ProvenRecord } from '../records/index.js';
import { type Deployment, origin, startDeployment } from '../testing/deployment.store.js';
import { sessionDrafts } from '../testing/drafts.fixture.js';
import { type Issuer, startIssuer, type TokenChanges } from '../testing/issuer.server.js';
import { type RunningEvidence, startService } from '../testing/service.server.js';

let deployment: Deployment;
let issuer: Issuer;
let evidence: RunningEvidence;
let ingress: Producer;
let auditor: string;

const bundle = Buffer.from('a compiled bundle, as far as evidence knows');
const policyDigest = `sha256:${'b'.repeat(64)}`;

beforeAll(async () => {
  [deployment, issuer] = await Promise.all([startDeployment(), startIssuer()]);
  const { url } = await deployment.freshDatabase();
  const policies = join(deployment.folder, 'policies');
  await mkdir(policies);
  await writeFile(join(policies, 'bundle.tar.gz'), bundle);
  await writeFile(join(policies, 'never-activated.tar.gz'), 'another');
  evidence = await startService(deployment, issuer, url, { policies: [policies] });
  auditor = await issuer.token();
  ingress = await deployment.producer('ingress-proxy');
  const policy = await deployment.producer('policy');
  await policy.append([
    {
      type: 'countersign.policy.activated.v1',
      data: { policyDigest, bundleDigest: digestOf(bundle), previous: null },
    },
  ]);
  await ingress.append(sessionDrafts('session-1', 120));
  await waitUntil(
    async () => (await get<{ kinds: { outcome?: number } }>('/v1/statistics')).kinds.outcome === 120,
  );
}, 60_000);

afterAll(async () => {
  await evidence.service.stop();
  await issuer.close();
  await deployment.stop();
});

function ask(path: string, token: string | null = auditor): Promise<Response> {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  return fetch(`${evidence.url}${path}`, { headers });
}

async function get<Answer>(path: string): Promise<Answer> {
  const response = await ask(path);
  const body: unknown = await response.json();
  if (response.status !== 200) throw new Error(`${response.status} ${JSON.stringify(body)}`);
  return body as Answer;
}

interface Page {
  readonly records: readonly EvidenceRecord[];
  readonly next: string | null;
}

async function everyPage(path: string): Promise<readonly EvidenceRecord[]> {
  const records: EvidenceRecord[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page = await get(`${path}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
    records.push(...page.records);
    cursor = page.next;
  }
  return records;
}

const paths = [
  '/v1/controls',
  '/v1/records',
  '/v1/findings',
  '/v1/statistics',
  '/v1/dossier',
  '/checkpoint',
  '/tile/0/000.p/1',
  '/tile/entries/000.p/1',
  '/v1/records/epoch-0',
  '/v1/controls/iso27001:2022/8.15',
];

describe('who may read', () => {
  it.each<[string, number, string, TokenChanges]>([
    ['an agent', 403, 'auth.kind_forbidden', { claims: { kind: 'agent' } }],
    [
      'an agent with a token for a target',
      401,
      'auth.token_wrong_target',
      { claims: { kind: 'agent' }, audience: 'shop' },
    ],
    ['a token for approval', 401, 'auth.token_wrong_target', { audience: 'countersign-approval' }],
    [
      'a person without the role',
      403,
      'auth.role_required',
      { claims: { roles: ['approver', 'administrator'] } },
    ],
    ['a person without roles', 403, 'auth.role_required', { claims: { roles: undefined } }],
    ['an expired token', 401, 'auth.token_expired', { expires: -60 }],
    ['another issuer', 401, 'auth.token_invalid', { issuer: 'somebody' }],
    ['a key that is not the issuer’s', 401, 'auth.token_invalid', { forged: true }],
    ['a token without an id', 401, 'auth.token_invalid', { claims: { jti: undefined } }],
  ])('not %s', async (_, status, code, changes) => {
    const response = await ask('/v1/controls', await issuer.token(changes));
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(await response.json()).toMatchObject({ code });
  });

  it('not a token that says it needs no signature', async () => {
    const [, payload = ''] = auditor.split('.');
    for (const alg of ['none', 'HS256', 'NONE']) {
      const header = Buffer.from(JSON.stringify({ alg, kid: 'key-1' })).toString('base64url');
      const signature = alg === 'HS256' ? createHash('sha256').update('x').digest('base64url') : '';
      const response = await ask('/v1/controls', `${header}.${payload}.${signature}`);
      expect([response.status, await response.json()]).toMatchObject([401, { code: 'auth.token_invalid' }]);
    }
  });

  it('not a token of whose payload a letter differs', async () => {
    const [header = '', payload = '', signature = ''] = auditor.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    const other = Buffer.from(JSON.stringify({ ...claims, sub: 'person-auditos' })).toString('base64url');
    expect((await ask('/v1/controls', `${header}.${other}.${signature}`)).status).toBe(401);
  });

  it.each(paths)('nobody without a token: %s', async (path) => {
    const response = await ask(path, null);
    expect([response.status, await response.json()]).toMatchObject([401, { code: 'auth.token_missing' }]);
  });

  it.each(paths)('an auditor: %s', async (path) => {
    const response = await ask(path);
    expect(response.status).toBe(200);
    await response.arrayBuffer();
  });

  it('reads the key set once for many tokens', () => {
    expect(issuer.reads).toBe(1);
  });
});

describe('every reading', () => {
  it('is an event of its own before it is answered, with its filters', async () => {
    await get('/v1/records?control=iso27001%3A2022%2F8.11&limit=1&verdict=modify');
    const resource = '/v1/records?control=iso27001:2022/8.11&verdict=modify';
    await waitUntil(async () =>
      (await everyPage('/v1/records?kind=reading&limit=500')).some(
        ({ data }) =>
          data.resource === resource && data.principal === 'person-auditor' && data.status === 200,
      ),
    );
  });

  it('is counted where it was refused, and tiles are counted together', async () => {
    for (let turn = 0; turn < 20; turn += 1) await (await ask('/tile/0/000.p/1')).arrayBuffer();
    await ask('/v1/records', null);
    const readings = await waitUntil(async () => {
      const found = await everyPage('/v1/records?kind=reading&limit=500');
      const tiles = found.filter(({ data }) => data.resource === '/tile/*path' && data.status === 200);
      const refused = found.filter(({ data }) => data.status === 401 && data.resource === '/v1/records');
      return tiles.length > 0 && refused.length > 0 ? tiles : null;
    });
    expect(readings.length).toBeLessThan(20);
    expect(readings.reduce((sum, { data }) => sum + Number(data.count), 0)).toBeGreaterThanOrEqual(20);
  });

  it('holds no token', async () => {
    const lines = await (await ask('/v1/dossier')).text();
    for (const part of auditor.split('.')) expect(lines).not.toContain(part);
  });
});

describe('controls', () => {
  it('are all there, each by its id in both spellings', async () => {
    const { controls: given } = await get<{ controls: readonly Control[] }>('/v1/controls');
    expect(given).toEqual(controls);
    const spellings = ['/v1/controls/iso27001:2013/A.12.5.1', '/v1/controls/iso27001%3A2013%2FA.12.5.1'];
    for (const path of spellings) expect(await get(path)).toMatchObject({ id: 'iso27001:2013/A.12.5.1' });
    expect((await ask('/v1/controls/iso27001:2013/A.1')).status).toBe(404);
  });
});

describe('records', () => {
  const decisions = '/v1/records?kind=decision';

  it('come page by page, whole and in order, either way round', async () => {
    const all = await everyPage(`${decisions}&limit=500`);
    expect(all).toHaveLength(120);
    expect(await everyPage(`${decisions}&limit=7`)).toEqual(all);
    expect(await everyPage(`${decisions}&limit=7&order=newest`)).toEqual(all.toReversed());
  });

  it.each([
    ['control=iso27001%3A2022%2F8.11&kind=outcome', 120],
    ['control=iso27001%3A2022%2F8.19', 0],
    ['agent=agent-1&kind=decision', 120],
    ['agent=agent-2', 0],
    ['target=shop&verdict=modify&kind=decision', 120],
    ['verdict=deny', 0],
    ['kind=session&from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z', 1],
    ['kind=session&from=2100-01-01T00:00:00%2B02:00', 0],
    ['kind=session&to=2020-01-01T00:00:00Z', 0],
  ])('by %s', async (filter, count) => {
    expect(await everyPage(`/v1/records?${filter}&limit=50`)).toHaveLength(count);
  });

  it.each([
    'control=iso27001:2022/99',
    'limit=0',
    'limit=501',
    'limit=many',
    'kind=anything',
    'verdict=maybe',
    'from=yesterday',
    'agent=%00',
    'agent=a%20b',
    'nothing=known',
    'cursor=x',
    'agent=a&agent=b',
    'order=random',
  ])('are refused for %s', async (query) => {
    const response = await ask(`/v1/records?${query}`);
    expect([response.status, await response.json()]).toMatchObject([400, { next: expect.any(String) }]);
  });

  it('go on by a cursor for the same question only', async () => {
    const { next } = await get<Page>(`${decisions}&limit=5`);
    const response = await ask(`${decisions}&agent=agent-1&limit=5&cursor=${next}`);
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { code: 'evidence.cursor_invalid' },
    ]);
  });

  it('prove themselves against the checkpoint', async () => {
    const [outcome] = await everyPage('/v1/records?kind=outcome&limit=500');
    const proven = await get<ProvenRecord>(`/v1/records/${outcome?.id}`);
    expect(proven.record).toEqual(outcome);
    expect(proven.events.map(({ index }) => index)).toEqual(outcome?.indexes);
    const log = noteVerifier(origin, deployment.key.privateKey.publicKey.bytes);
    const checkpoint = openCheckpoint(proven.checkpoint, log);
    for (const { index, value, leafHash: hash, proof } of proven.events) {
      const leaf = leafHash(Buffer.from(value));
      expect(fromBase64(hash)).toEqual(leaf);
      const claim = {
        leafHash: leaf,
        index,
        size: checkpoint?.size ?? 0,
        root: checkpoint?.root ?? new Uint8Array(),
        proof: proof.map(fromBase64),
      };
      expect(verifyInclusion(claim)).toBe(true);
      expect(verifyInclusion({ ...claim, leafHash: leafHash(Buffer.from(`${value} `)) })).toBe(false);
    }
  });

  it('are unknown by any other id', async () => {
    for (const id of ['decision-99999999', "x';--", '%00', 'finding-1-no-outcome-at-1']) {
      const response = await ask(`/v1/records/${id}`);
      expect([response.status, await response.json()]).toMatchObject([
        404,
        { code: 'evidence.record_unknown' },
      ]);
    }
  });
});

describe('the log', () => {
  it('serves its checkpoint and the tiles and entries of that size', async () => {
    const note = await (await ask('/checkpoint')).text();
    const log = noteVerifier(origin, deployment.key.privateKey.publicKey.bytes);
    const size = openCheckpoint(note, log)?.size ?? 0;
    expect(size).toBeGreaterThan(240);
    const width = size % 256;
    const suffix = size < 256 ? `000.p/${width}` : '000';
    const entries = await ask(`/tile/entries/${suffix}`);
    expect(entries.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
    const bundleWidth = Math.min(size, 256);
    const leaves = decodeEntryBundle(new Uint8Array(await entries.arrayBuffer()), bundleWidth);
    const hashes = new Uint8Array(await (await ask(`/tile/0/${suffix}`)).arrayBuffer());
    expect(Buffer.concat(leaves.map(leafHash))).toEqual(Buffer.from(hashes));
  });

  it.each([
    '/tile/0/001',
    '/tile/9/000',
    '/tile/entries/x001/000',
    '/tile/0/000.p/256',
    '/tile/0/0',
    '/tile/../x',
    '/tile/-1/000',
  ])('has nothing at %s', async (path) => {
    expect((await ask(path)).status).toBe(404);
  });
});

async function dossier(): Promise<string[]> {
  const response = await ask('/v1/dossier');
  expect(response.headers.get('content-type')).toContain('application/x-ndjson');
  return (await response.text()).trimEnd().split('\n');
}

describe('a dossier', () => {
  it('is verified offline, and names what it was made of', async () => {
    const lines = await dossier();
    const kinds = lines.map((line) => (JSON.parse(line) as { kind: string }).kind);
    expect(kinds.filter((kind) => kind === 'policy')).toHaveLength(1);
    const report = await verifyDossier(lines, { trust: [deployment.trust] });
    const unexpected = report.findings.filter(({ code }) => !code.startsWith('policy.'));
    expect(unexpected).toEqual([]);
  });

  it('is found out where one event was edited', async () => {
    const lines = (await dossier()).map((line) =>
      line.includes('session.opened') && line.includes('"kind":"event"')
        ? line.replace('loopback', 'unix')
        : line,
    );
    const report = await verifyDossier(lines, { trust: [deployment.trust] });
    expect(report.findings.map(({ code }) => code)).toContain('leaf.changed');
  });

  it('lets go of the database when its reader goes away', async () => {
    for (let turn = 0; turn < 20; turn += 1) {
      const stop = new AbortController();
      const response = await fetch(`${evidence.url}/v1/dossier`, {
        headers: { authorization: `Bearer ${auditor}` },
        signal: stop.signal,
      });
      await response.body?.getReader().read();
      stop.abort();
    }
    // More than the pool has connections: one that stayed open would block this.
    await get('/v1/statistics');
  });
});

describe('findings', () => {
  it('name what has not arrived, with the size of the tree, and each is told of once', async () => {
    const drafts = sessionDrafts('session-2', 1);
    await ingress.append(drafts.slice(0, 2));
    interface Findings extends Page {
      readonly absences: readonly EvidenceRecord[];
      readonly treeSize: number;
    }
    const found = await waitUntil(async () => {
      const findings = await get<Findings>('/v1/findings?finding=no-outcome');
      return findings.absences.length === 1 ? findings : null;
    });
    expect(found.absences[0]).toMatchObject({ data: { action: 'session-2-0', treeSize: found.treeSize } });
    expect(await get<ProvenRecord>(`/v1/records/${found.absences[0]?.id}`)).toMatchObject({
      record: { data: { action: 'session-2-0' } },
    });

    const told = async () =>
      (await dossier())
        .map((line) => JSON.parse(line) as { kind: string; value?: string })
        .filter(({ kind, value }) => kind === 'event' && value?.includes('countersign.evidence.finding.v1'))
        .map(({ value }) => (JSON.parse(value ?? '') as { data: { finding: string } }).data.finding);
    await waitUntil(async () => (await told()).length === 1, { timeout: 15_000, what: 'the announcement' });
    // The outcome comes after all, and once more.
    const completed = drafts.slice(2, 3);
    await ingress.append([...completed, ...completed]);
    await waitUntil(async () => (await told()).length >= 2, { timeout: 15_000, what: 'both announcements' });
    expect(await get<Findings>('/v1/findings?finding=no-outcome')).toMatchObject({
      records: [],
      absences: [],
    });
    expect(await everyPage('/v1/findings?finding=outcome-without-decision')).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect((await told()).toSorted()).toEqual(['no-outcome', 'outcome-without-decision']);
  });
});

describe('the service', () => {
  it('says that it is ready, measures itself and describes its API', async () => {
    const readiness = await (await fetch(`${evidence.url}/readyz`)).json();
    expect(readiness).toMatchObject({
      ready: true,
      checks: { database: { ok: true }, ingest: { ok: true } },
    });
    const metrics = await (await fetch(`${evidence.url}/metrics`)).text();
    expect(metrics).toMatch(/countersign_evidence_leaves\{[^}]*\} \d{3}/);
    const api = (await (await fetch(`${evidence.url}/openapi.json`)).json()) as { paths: object };
    expect(Object.keys(api.paths)).toEqual(
      expect.arrayContaining(['/v1/records', '/v1/dossier', '/checkpoint']),
    );
  });
});
