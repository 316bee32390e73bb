import { type FoldState, findingsAsOf, foldAll, initialFold, recordText } from '@countersign/controls';
import type { StoredRecord } from '@countersign/event-log';
import { noteVerifier, openCheckpoint, readRoot, tileHashReader } from '@countersign/transparency';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Pool } from '../database/index.js';
import { newestCheckpoint, readHashTile, readLeaves } from '../log/index.js';
import { type Deployment, origin, startDeployment } from '../testing/deployment.store.js';
import { sessionDrafts } from '../testing/drafts.fixture.js';
import { openWriter, StaleWriter } from './writer.store.js';

let deployment: Deployment;
let records: readonly StoredRecord[];

beforeAll(async () => {
  deployment = await startDeployment();
  const ingress = await deployment.producer('ingress-proxy');
  const approval = await deployment.producer('approval');
  await ingress.append(sessionDrafts('session-1', 20));
  await approval.append([
    { type: 'countersign.token.refused.v1', data: { principal: null, code: 'auth.proof_invalid', count: 1 } },
  ]);
  await ingress.append(sessionDrafts('session-2', 280));
  records = await deployment.readAll();
}, 60_000);

afterAll(() => deployment.stop());

/** What a database holds of a log: everything that must not depend on how it came there. */
async function contents(pool: Pool) {
  const checkpoint = await newestCheckpoint(pool);
  const { rows } = await pool.query<{ value: string }>(
    'select value from evidence.records order by sequence',
  );
  const fold = await pool.query<{ state: string }>('select state from evidence.folds');
  const state = JSON.parse(fold.rows[0]?.state ?? '{}') as FoldState;
  return {
    size: checkpoint?.size,
    root: openCheckpoint(
      checkpoint?.note ?? '',
      noteVerifier(origin, deployment.key.privateKey.publicKey.bytes),
    )?.root,
    records: rows.map(({ value }) => value),
    absent: findingsAsOf(state, state.size).map(recordText),
  };
}

function inBatches(all: readonly StoredRecord[], size: number): readonly (readonly StoredRecord[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}

describe('the writer', () => {
  it('makes the same log and the same records of any batches', async () => {
    const logs: Awaited<ReturnType<typeof contents>>[] = [];
    for (const size of [records.length, 7]) {
      const { pool } = await deployment.freshDatabase();
      const writer = await openWriter(pool, deployment.key);
      for (const batch of inBatches(records, size)) await writer.write(batch);
      logs.push(await contents(pool));
    }
    expect(logs[0]?.size).toBe(records.length);
    expect(logs[1]).toEqual(logs[0]);
  });

  it('makes records that a fold of its leaves gives again, and a root that its tiles give again', async () => {
    const { pool } = await deployment.freshDatabase();
    const writer = await openWriter(pool, deployment.key);
    for (const batch of inBatches(records, 64)) await writer.write(batch);
    const held = await contents(pool);
    const leaves = await readLeaves(pool, 0, records.length);
    const folded = foldAll(initialFold(deployment.key.authority), leaves);
    expect(held.records).toEqual(folded.records.map(recordText));
    const root = await readRoot(
      writer.size,
      tileHashReader(writer.size, (tile) => readHashTile(pool, tile)),
    );
    expect(held.root).toEqual(root);
  });

  it('takes what is delivered again for what it has', async () => {
    const { pool } = await deployment.freshDatabase();
    const writer = await openWriter(pool, deployment.key);
    await writer.write(records);
    const before = await contents(pool);
    const again = await writer.write(records);
    expect(again).toMatchObject({ size: records.length, leaves: 0, records: [] });
    await writer.write([...records.slice(10, 20), ...records.slice(5, 15)]);
    const reopened = await openWriter(pool, deployment.key);
    await reopened.write(records.slice(0, 50));
    expect(await contents(pool)).toEqual(before);
  });

  it('takes a copy within one batch for one', async () => {
    const { pool } = await deployment.freshDatabase();
    const writer = await openWriter(pool, deployment.key);
    const [first, second] = records as [StoredRecord, StoredRecord];
    expect(await writer.write([first, second, first, second])).toMatchObject({ size: 2, leaves: 2 });
  });

  it('finds an id with other bytes, in the same batch and later', async () => {
    const { pool } = await deployment.freshDatabase();
    const writer = await openWriter(pool, deployment.key);
    const [first, second] = records as [StoredRecord, StoredRecord];
    const text = Buffer.from(second.value).toString();
    const other = (change: string): StoredRecord => ({
      ...second,
      value: Buffer.from(text.replace('"loopback"', `"${change}"`)),
    });
    await writer.write([first, second, other('unix')]);
    const { records: found } = await writer.write([other('tls'), other('unix')]);
    expect(found).toMatchObject([{ id: 'finding-3-repeated-id', data: { first: 1 } }]);
    const { rows } = await pool.query(
      'select id from evidence.records where finding is not null order by sequence',
    );
    expect(rows).toEqual([{ id: 'finding-2-repeated-id' }, { id: 'finding-3-repeated-id' }]);
  });

  it('makes a leaf and a finding of everything else, and goes on', async () => {
    const { pool } = await deployment.freshDatabase();
    const writer = await openWriter(pool, deployment.key);
    const [first, ...rest] = records as [StoredRecord, ...StoredRecord[]];
    const odd = [
      Buffer.from(''),
      Buffer.from('{}'),
      Buffer.from('{"id":"\\u0000"}'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d]),
      Buffer.from('\0'),
      Buffer.alloc(65_535, 0x61),
      Buffer.alloc(65_536, 0x61),
      Buffer.alloc(3_000_000, 0x62),
      // Well formed, of a year that has no place in a calendar.
      Buffer.from(
        Buffer.from(first.value)
          .toString()
          .replace(/"time":"\d{4}/, '"time":"0000')
          .replace(/"id":"0/, '"id":"1'),
      ),
    ].map(
      (value, index): StoredRecord => ({
        ...first,
        value,
        signature: index % 2 === 0 ? null : new Uint8Array(index),
      }),
    );
    const strange = { ...first, key: '', value: Buffer.from('key') };
    const { leaves } = await writer.write([...odd, strange]);
    expect(leaves).toBe(odd.length + 1);
    const { rows } = await pool.query('select distinct finding from evidence.records where kind = $1', [
      'finding',
    ]);
    expect(rows).toContainEqual({ finding: 'malformed' });
    const before = await contents(pool);
    expect(before.records.length).toBeGreaterThanOrEqual(leaves);
    const later = await writer.write([first, ...rest]);
    expect(later.records.filter(({ kind }) => kind === 'finding')).toEqual([]);
    expect(later.records.filter(({ kind }) => kind === 'outcome')).toHaveLength(300);
  });

  it('yields to another writer, and loses nothing of either', async () => {
    const { pool } = await deployment.freshDatabase();
    const one = await openWriter(pool, deployment.key);
    const other = await openWriter(pool, deployment.key);
    await one.write(records.slice(0, 100));
    await expect(other.write(records.slice(50, 150))).rejects.toThrow(StaleWriter);
    const reopened = await openWriter(pool, deployment.key);
    await reopened.write(records.slice(50, records.length));
    expect((await contents(pool)).size).toBe(records.length);
  });

  it('folds what an older version of the fold has not seen', async () => {
    const { pool } = await deployment.freshDatabase();
    const writer = await openWriter(pool, deployment.key);
    await writer.write(records);
    const before = await contents(pool);
    await pool.query(
      'delete from evidence.record_controls; delete from evidence.records; delete from evidence.counters',
    );
    await pool.query('delete from evidence.folds');
    await openWriter(pool, deployment.key);
    expect(await contents(pool)).toEqual(before);
  });

  it('refuses the log of another origin', async () => {
    const { pool } = await deployment.freshDatabase();
    await openWriter(pool, deployment.key);
    await expect(openWriter(pool, { ...deployment.key, origin: 'other' })).rejects.toMatchObject({
      code: 'config.invalid',
    });
  });
});
