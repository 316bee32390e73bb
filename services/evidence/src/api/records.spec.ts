import { type Control, controls } from '@countersign/controls';
import {
  fromBase64,
  leafHash,
  noteVerifier,
  openCheckpoint,
  verifyInclusion,
} from '@countersign/transparency';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ProvenRecord } from '../records/index.js';
import { type Api, type Page, startApi } from '../testing/api.server.js';
import { origin } from '../testing/deployment.store.js';

let api: Api;

beforeAll(async () => {
  api = await startApi();
}, 60_000);

afterAll(() => api.stop());

describe('controls', () => {
  it('are all there, each by its id in both spellings', async () => {
    const { controls: given } = await api.get<{ controls: readonly Control[] }>('/v1/controls');
    expect(given).toEqual(controls);
    const spellings = ['/v1/controls/iso27001:2013/A.12.5.1', '/v1/controls/iso27001%3A2013%2FA.12.5.1'];
    for (const path of spellings) expect(await api.get(path)).toMatchObject({ id: 'iso27001:2013/A.12.5.1' });
    expect((await api.ask('/v1/controls/iso27001:2013/A.1')).status).toBe(404);
  });
});

describe('records', () => {
  const decisions = '/v1/records?kind=decision';

  it('come page by page, whole and in order, either way round', async () => {
    const all = await api.everyPage(`${decisions}&limit=500`);
    expect(all).toHaveLength(120);
    expect(await api.everyPage(`${decisions}&limit=7`)).toEqual(all);
    expect(await api.everyPage(`${decisions}&limit=7&order=newest`)).toEqual(all.toReversed());
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
    expect(await api.everyPage(`/v1/records?${filter}&limit=50`)).toHaveLength(count);
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
    const response = await api.ask(`/v1/records?${query}`);
    expect([response.status, await response.json()]).toMatchObject([400, { next: expect.any(String) }]);
  });

  it('go on by a cursor for the same question only', async () => {
    const { next } = await api.get<Page>(`${decisions}&limit=5`);
    const response = await api.ask(`${decisions}&agent=agent-1&limit=5&cursor=${next}`);
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { code: 'evidence.cursor_invalid' },
    ]);
  });

  it('prove themselves against the checkpoint', async () => {
    const [outcome] = await api.everyPage('/v1/records?kind=outcome&limit=500');
    const proven = await api.get<ProvenRecord>(`/v1/records/${outcome?.id}`);
    expect(proven.record).toEqual(outcome);
    expect(proven.events.map(({ index }) => index)).toEqual(outcome?.indexes);
    const log = noteVerifier(origin, api.deployment.key.privateKey.publicKey.bytes);
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
      const response = await api.ask(`/v1/records/${id}`);
      expect([response.status, await response.json()]).toMatchObject([
        404,
        { code: 'evidence.record_unknown' },
      ]);
    }
  });
});
