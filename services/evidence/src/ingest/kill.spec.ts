import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { foldAll, initialFold, recordText } from '@countersign/controls';
import { waitUntil } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Pool } from '../database/index.js';
import { newestCheckpoint, readLeaves } from '../log/index.js';
import { type Deployment, origin, startDeployment } from '../testing/deployment.store.js';
import { sessionDrafts } from '../testing/drafts.fixture.js';
import { openWriter } from './writer.store.js';

const program = fileURLToPath(new URL('../testing/ingest.main.js', import.meta.url));
const kills = 8;

let deployment: Deployment;
const children: ChildProcess[] = [];

beforeAll(async () => {
  deployment = await startDeployment();
}, 60_000);

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await deployment.stop();
});

function follow(database: string): ChildProcess {
  const { files, postgres } = deployment;
  const child = spawn(
    process.execPath,
    [
      program,
      database,
      postgres.url(),
      origin,
      files.authority,
      files.checkpointKey,
      files.checkpointCertificate,
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  children.push(child);
  return child;
}

async function sizeOf(pool: Pool): Promise<number> {
  return (await newestCheckpoint(pool))?.size ?? 0;
}

describe('ingestion that is killed again and again while events flow', () => {
  it('has every event once, and the records that nobody who was never killed has otherwise', async () => {
    const { url, pool } = await deployment.freshDatabase();
    const producers = [
      await deployment.producer('ingress-proxy', 'one'),
      await deployment.producer('ingress-proxy', 'two'),
    ];
    const enough = new AbortController();
    const flowing = producers.map(async (producer, which) => {
      for (let session = 0; session < 150 && !enough.signal.aborted; session += 1) {
        await producer.append(sessionDrafts(`session-${which}-${session}`, 5));
        await sleep(10);
      }
    });

    for (let kill = 0; kill < kills; kill += 1) {
      const child = follow(url);
      // From its first batch on, at any instant.
      await once(child.stdout ?? child, 'data');
      await sleep(Math.random() * 150);
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    enough.abort();
    await Promise.all(flowing);

    const all = await deployment.readAll();
    const last = follow(url);
    await waitUntil(async () => (await sizeOf(pool)) === all.length, {
      timeout: 60_000,
      what: 'the last event',
    });
    last.kill('SIGKILL');
    await once(last, 'exit');

    const reference = await deployment.freshDatabase();
    await (await openWriter(reference.pool, deployment.key)).write(all);
    // An Ed25519 signature over the same text is the same: equal notes are equal sizes and roots.
    expect((await newestCheckpoint(pool))?.note).toBe((await newestCheckpoint(reference.pool))?.note);
    const records = async (of: Pool) =>
      (await of.query<{ value: string }>('select value from evidence.records order by sequence')).rows.map(
        ({ value }) => value,
      );
    const held = await records(pool);
    expect(held).toEqual(await records(reference.pool));
    const { records: folded } = foldAll(
      initialFold(deployment.key.authority),
      await readLeaves(pool, 0, all.length),
    );
    expect(held).toEqual(folded.map(recordText));
    expect(folded.filter(({ kind }) => kind === 'finding')).toEqual([]);
  }, 240_000);
});

describe('ingestion whose database fails', () => {
  it('pauses and goes on by itself, after a refusal to write and after a restart', async () => {
    const { url, pool } = await deployment.freshDatabase();
    const producer = await deployment.producer('policy');
    const child = follow(url);
    await waitUntil(async () => (await sizeOf(pool)) > 0, { what: 'the first batch' });
    await pool.query('alter table evidence.records rename to records_away');
    await producer.append(sessionDrafts('session-3', 5));
    await sleep(500);
    await pool.query('alter table evidence.records_away rename to records');
    const all = (await deployment.readAll()).length;
    await waitUntil(async () => (await sizeOf(pool)) === all, {
      timeout: 60_000,
      what: 'the events that waited',
    });

    await deployment.postgres.restart();
    await waitUntil(() => producer.append(sessionDrafts('session-4', 5)), {
      timeout: 60_000,
      what: 'the event log',
    });
    const more = (await deployment.readAll()).length;
    expect(more).toBeGreaterThan(all);
    await waitUntil(async () => (await sizeOf(pool)) === more, { timeout: 60_000, what: 'the later events' });
    child.kill('SIGKILL');
  }, 240_000);
});
