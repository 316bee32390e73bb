import type { EvidenceRecord } from '@countersign/controls';
import { waitUntil } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ProvenRecord } from '../records/index.js';
import { type Api, type Page, startApi } from '../testing/api.server.js';
import { sessionDrafts } from '../testing/drafts.fixture.js';

let api: Api;

beforeAll(async () => {
  api = await startApi();
}, 60_000);

afterAll(() => api.stop());

async function dossier(): Promise<string[]> {
  const response = await api.ask('/v1/dossier');
  return (await response.text()).trimEnd().split('\n');
}

describe('findings', () => {
  it('name what has not arrived, with the size of the tree, and each is told of once', async () => {
    const drafts = sessionDrafts('session-2', 1);
    await api.ingress.append(drafts.slice(0, 2));
    interface Findings extends Page {
      readonly absences: readonly EvidenceRecord[];
      readonly treeSize: number;
    }
    const found = await waitUntil(async () => {
      const findings = await api.get<Findings>('/v1/findings?finding=no-outcome');
      return findings.absences.length === 1 ? findings : null;
    });
    expect(found.absences[0]).toMatchObject({ data: { action: 'session-2-0', treeSize: found.treeSize } });
    expect(await api.get<ProvenRecord>(`/v1/records/${found.absences[0]?.id}`)).toMatchObject({
      record: { data: { action: 'session-2-0' } },
    });

    const told = async () =>
      (await dossier())
        .map((line) => JSON.parse(line) as { kind: string; value?: string })
        .filter(({ kind, value }) => kind === 'event' && value?.includes('countersign.evidence.finding.v1'))
        .map(({ value }) => (JSON.parse(value ?? '') as { data: { record: string } }).data.record);
    await waitUntil(async () => (await told()).length === 1, { timeout: 15_000, what: 'the announcement' });
    // The outcome comes after all, and once more.
    const completed = drafts.slice(2, 3);
    await api.ingress.append([...completed, ...completed]);
    await waitUntil(async () => (await told()).length >= 2, { timeout: 15_000, what: 'both announcements' });
    expect(await api.get<Findings>('/v1/findings?finding=no-outcome')).toMatchObject({
      records: [],
      absences: [],
    });
    expect(await api.everyPage('/v1/findings?finding=outcome-without-decision')).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const records = (await told()).toSorted();
    expect(records).toEqual([
      expect.stringMatching(/no-outcome/),
      expect.stringMatching(/outcome-without-decision/),
    ]);
  });
});

describe('the service', () => {
  it('says that it is ready, measures itself and describes its API', async () => {
    const readiness = await (await fetch(`${api.url}/readyz`)).json();
    expect(readiness).toMatchObject({
      ready: true,
      checks: { database: { ok: true }, ingest: { ok: true } },
    });
    const metrics = await (await fetch(`${api.url}/metrics`)).text();
    expect(metrics).toMatch(/countersign_evidence_leaves\{[^}]*\} \d{3}/);
    const described = (await (await fetch(`${api.url}/openapi.json`)).json()) as { paths: object };
    expect(Object.keys(described.paths)).toEqual(
      expect.arrayContaining(['/v1/records', '/v1/dossier', '/checkpoint']),
    );
  });
});
