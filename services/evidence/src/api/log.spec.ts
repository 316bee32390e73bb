import { decodeEntryBundle, leafHash, noteVerifier, openCheckpoint } from '@countersign/transparency';
import { verifyDossier } from '@countersign/verifier';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Api, startApi } from '../testing/api.server.js';
import { origin } from '../testing/deployment.store.js';

let api: Api;

beforeAll(async () => {
  api = await startApi();
}, 60_000);

afterAll(() => api.stop());

describe('the log', () => {
  it('serves its checkpoint and the tiles and entries of that size', async () => {
    const note = await (await api.ask('/checkpoint')).text();
    const log = noteVerifier(origin, api.deployment.key.privateKey.publicKey.bytes);
    const size = openCheckpoint(note, log)?.size ?? 0;
    expect(size).toBeGreaterThan(240);
    const width = size % 256;
    const suffix = size < 256 ? `000.p/${width}` : '000';
    const entries = await api.ask(`/tile/entries/${suffix}`);
    expect(entries.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
    const bundleWidth = Math.min(size, 256);
    const leaves = decodeEntryBundle(new Uint8Array(await entries.arrayBuffer()), bundleWidth);
    const hashes = new Uint8Array(await (await api.ask(`/tile/0/${suffix}`)).arrayBuffer());
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
    expect((await api.ask(path)).status).toBe(404);
  });
});

async function dossier(): Promise<string[]> {
  const response = await api.ask('/v1/dossier');
  expect(response.headers.get('content-type')).toContain('application/x-ndjson');
  return (await response.text()).trimEnd().split('\n');
}

describe('a dossier', () => {
  it('is verified offline, and names what it was made of', async () => {
    const lines = await dossier();
    const kinds = lines.map((line) => (JSON.parse(line) as { kind: string }).kind);
    expect(kinds.filter((kind) => kind === 'policy')).toHaveLength(1);
    const report = await verifyDossier(lines, { trust: [api.deployment.trust] });
    const unexpected = report.findings.filter(({ code }) => !code.startsWith('policy.'));
    expect(unexpected).toEqual([]);
  });

  it('is found out where one event was edited', async () => {
    const lines = (await dossier()).map((line) =>
      line.includes('session.opened') && line.includes('"kind":"event"')
        ? line.replace('loopback', 'unix')
        : line,
    );
    const report = await verifyDossier(lines, { trust: [api.deployment.trust] });
    expect(report.findings.map(({ code }) => code)).toContain('leaf.changed');
  });

  it('lets go of the database when its reader goes away', async () => {
    for (let turn = 0; turn < 20; turn += 1) {
      const stop = new AbortController();
      const response = await fetch(`${api.url}/v1/dossier`, {
        headers: { authorization: `Bearer ${api.auditor}` },
        signal: stop.signal,
      });
      await response.body?.getReader().read();
      stop.abort();
    }
    // More than the pool has connections: one that stayed open would block this.
    await api.get('/v1/statistics');
  });
});
