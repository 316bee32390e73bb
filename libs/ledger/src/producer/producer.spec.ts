import { type EventLog, openEventLog, type StoredRecord } from '@countersign/event-log';
import { type PostgresInstance, startPostgres, waitUntil } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createDeploymentAuthority,
  type InstanceIdentity,
  issueInstanceCertificate,
  verifyEpochOpened,
} from '../authority/index.js';
import { type EventDraft, verifyChain } from '../chain/index.js';
import { parseEnvelope } from '../envelope/index.js';
import { openProducer } from './index.js';

const topic = 'countersign.policy.v1';
const draft = (n: number): EventDraft => ({
  type: 'countersign.policy.activated.v1',
  data: { policyDigest: `sha256:${n}`, bundleDigest: 'sha256:0', previous: null },
});

let postgres: PostgresInstance;
let log: EventLog;
let authority: InstanceIdentity;
let identity: InstanceIdentity;

beforeAll(async () => {
  postgres = await startPostgres();
  log = await openEventLog(postgres.url());
  authority = await createDeploymentAuthority('Test deployment', new Date(Date.now() - 60_000));
  identity = await issueInstanceCertificate(authority, {
    service: 'policy',
    instance: 'p-1',
    now: new Date(Date.now() - 60_000),
  });
});

afterAll(async () => {
  await log.close();
  await postgres.stop();
});

/** All records of a producer, copies removed, in order of epoch and sequence as they were appended. */
async function recordsOf(key: string, atLeast: number): Promise<StoredRecord[]> {
  const seen = new Map<string, StoredRecord>();
  const stop = new AbortController();
  const reading = log.subscribe({
    topics: [topic],
    from: new Map(),
    signal: stop.signal,
    onBatch: async (records) => {
      for (const record of records) {
        const { epoch, seq } = parseEnvelope(record.value);
        if (record.key === key && !seen.has(`${epoch}/${seq}`)) seen.set(`${epoch}/${seq}`, record);
      }
    },
  });
  await waitUntil(() => seen.size >= atLeast);
  stop.abort();
  await reading;
  return [...seen.values()];
}

describe('a producer', () => {
  it('opens an epoch that its authority certified, and chains and signs what follows', async () => {
    const producer = await openProducer({ log, service: 'policy', instance: 'p-1', identity });
    await Promise.all([
      producer.append([draft(1)]),
      producer.append([draft(2), draft(3)]),
      producer.appendLazily([draft(4)]),
    ]);
    await producer.close();
    const records = await recordsOf('/policy/p-1', 5);
    expect(verifyChain(records)).toEqual({ fault: null, signed: 5 });
    const opened = parseEnvelope((records[0] as StoredRecord).value);
    if (opened.type !== 'countersign.epoch.opened.v1') throw new Error('no opening');
    const envelope = opened as Parameters<typeof verifyEpochOpened>[0];
    expect(verifyEpochOpened(envelope, authority.certificatePem)).toBe(true);
    const other = await createDeploymentAuthority('Test deployment', new Date(Date.now() - 60_000));
    expect(verifyEpochOpened(envelope, other.certificatePem)).toBe(false);
    expect(verifyEpochOpened({ ...envelope, source: '/policy/p-2' }, authority.certificatePem)).toBe(false);
  });

  it('names the head of its former life', async () => {
    const producer = await openProducer({ log, service: 'policy', instance: 'p-1', identity });
    await producer.close();
    const records = await recordsOf('/policy/p-1', 6);
    const last = parseEnvelope((records[5] as StoredRecord).value);
    expect(last.data).toMatchObject({ previous: { seq: '4' } });
  });

  it('survives its log, refuses in bounded time meanwhile, and says how often', async () => {
    const own = await issueInstanceCertificate(authority, {
      service: 'policy',
      instance: 'p-3',
      now: new Date(Date.now() - 60_000),
    });
    const producer = await openProducer({
      log,
      service: 'policy',
      instance: 'p-3',
      identity: own,
      deadlineMilliseconds: 700,
    });
    await producer.append([draft(1)]);
    await postgres.kill();
    const sent = performance.now();
    const results = await Promise.allSettled([
      producer.append([draft(2)]),
      new Promise((resolve) => setTimeout(resolve, 100)).then(() => producer.append([draft(3)])),
    ]);
    expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected']);
    expect(performance.now() - sent).toBeLessThan(5_000);
    await postgres.restart();
    await waitUntil(async () => (await producer.append([draft(4)]).catch(() => null)) !== null);
    await producer.close();
    const records = await recordsOf('/policy/p-3', 5);
    expect(verifyChain(records).fault).toBeNull();
    const types = records.map((record) => parseEnvelope(record.value).type);
    expect(types).toContain('countersign.recording.resumed.v1');
    const digests = records.map(
      (record) => (parseEnvelope(record.value).data as { policyDigest?: string }).policyDigest,
    );
    expect(digests.filter((digest) => digest === 'sha256:4')).toHaveLength(1);
    expect(digests).not.toContain('sha256:3');
  });
});
