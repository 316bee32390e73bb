import { createHash } from 'node:crypto';
import type { EvidenceRecord } from '@countersign/controls';
import { waitUntil } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Api, startApi } from '../testing/api.server.js';
import { readAccess } from '../testing/cases.store.js';
import { sessionDrafts } from '../testing/drafts.fixture.js';

let api: Api;

beforeAll(async () => {
  api = await startApi();
}, 60_000);

afterAll(() => api.stop());

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
  it.each(readAccess())('not $who', async ({ status, code, token }) => {
    const response = await api.ask('/v1/controls', await api.issuer.token(token));
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(await response.json()).toMatchObject({ code });
  });

  it('not a token that says it needs no signature', async () => {
    const [, payload = ''] = api.auditor.split('.');
    for (const alg of ['none', 'HS256', 'NONE']) {
      const header = Buffer.from(JSON.stringify({ alg, kid: 'key-1' })).toString('base64url');
      const signature = alg === 'HS256' ? createHash('sha256').update('x').digest('base64url') : '';
      const response = await api.ask('/v1/controls', `${header}.${payload}.${signature}`);
      expect([response.status, await response.json()]).toMatchObject([401, { code: 'auth.token_invalid' }]);
    }
  });

  it('not a token of whose payload a letter differs', async () => {
    const [header = '', payload = '', signature = ''] = api.auditor.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    const other = Buffer.from(JSON.stringify({ ...claims, sub: 'person-auditos' })).toString('base64url');
    expect((await api.ask('/v1/controls', `${header}.${other}.${signature}`)).status).toBe(401);
  });

  it.each(paths)('nobody without a token: %s', async (path) => {
    const response = await api.ask(path, null);
    expect([response.status, await response.json()]).toMatchObject([401, { code: 'auth.token_missing' }]);
  });

  it.each(paths)('an auditor: %s', async (path) => {
    const response = await api.ask(path);
    expect(response.status).toBe(200);
    await response.arrayBuffer();
  });

  it('reads the key set once for many tokens', () => {
    expect(api.issuer.reads).toBe(1);
  });
});

describe('every reading', () => {
  it('is an event of its own before it is answered, with its filters', async () => {
    await api.get('/v1/records?control=iso27001%3A2022%2F8.11&limit=1&verdict=modify');
    const resource = '/v1/records?control=iso27001:2022/8.11&verdict=modify';
    await waitUntil(async () =>
      (await api.everyPage('/v1/records?kind=reading&limit=500')).some(
        ({ data }) =>
          data.resource === resource && data.principal === 'person-auditor' && data.status === 200,
      ),
    );
  });

  it('names no id that evidence does not hold, nor anything else of the reader’s own', async () => {
    const own = ['maria.huber@example.org', '85061231970'];
    await api.get(`/v1/records?agent=${own[0]}&target=${own[1]}&from=2020-01-01T00:00:00.${own[1]}Z`);
    await api.get('/v1/records?agent=agent-1&verdict=deny');
    await api.ingress.append(sessionDrafts('session-2', 1).slice(0, 2));
    const absent = await waitUntil(
      async () => (await api.get<{ absences: readonly EvidenceRecord[] }>('/v1/findings')).absences[0],
    );
    await api.get(`/v1/records/${absent.id.replace(/\d+$/, own[1] ?? '')}`);
    expect((await api.ask(`/v1/findings?finding=${own[1]}`)).status).toBe(400);
    expect((await api.ask(`/v1/records/${own[1]}`)).status).toBe(404);
    const resources = await waitUntil(async () => {
      const readings = await api.everyPage('/v1/records?kind=reading&limit=500');
      const found = readings.map(({ data }) => String(data.resource));
      return found.includes('/v1/records?verdict=deny&agent=agent-1') ? found : null;
    });
    expect(resources).toContain('/v1/records?from=2020-01-01T00:00:00Z&agent=(unknown)&target=(unknown)');
    const lines = await (await api.ask('/v1/dossier')).text();
    for (const text of own) expect(lines).not.toContain(text);
  });

  it('is counted where it was refused, and tiles are counted together', async () => {
    for (let turn = 0; turn < 20; turn += 1) await (await api.ask('/tile/0/000.p/1')).arrayBuffer();
    await api.ask('/v1/records', null);
    const readings = await waitUntil(async () => {
      const found = await api.everyPage('/v1/records?kind=reading&limit=500');
      const tiles = found.filter(({ data }) => data.resource === '/tile/*path' && data.status === 200);
      const refused = found.filter(({ data }) => data.status === 401 && data.resource === '/v1/records');
      // A tally is told of every second: slow readings fall into several.
      const counted = tiles.reduce((sum, { data }) => sum + Number(data.count), 0);
      return counted >= 20 && refused.length > 0 ? tiles : null;
    });
    expect(readings.length).toBeLessThan(20);
  });

  it('holds no token', async () => {
    const lines = await (await api.ask('/v1/dossier')).text();
    for (const part of api.auditor.split('.')) expect(lines).not.toContain(part);
  });
});
