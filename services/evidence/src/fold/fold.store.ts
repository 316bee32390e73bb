import {
  type EvidenceRecord,
  type FoldState,
  foldVersion,
  initialFold,
  recordText,
} from '@countersign/controls';
import type { Queries } from '../log/index.js';
import { addAnnouncements } from './announcements.store.js';
import { countsOf } from './counts.js';

/** The fold as it is stored: its state, and how many records it has given. */
export interface StoredFold {
  readonly state: FoldState;
  readonly records: number;
}

/** The fold of this version; made empty where there is none. */
export async function openFold(queries: Queries, authority: string): Promise<StoredFold> {
  await queries.query(
    'insert into evidence.folds (version, size, records, state) values ($1, 0, 0, $2) on conflict do nothing',
    [foldVersion, JSON.stringify(initialFold(authority))],
  );
  return loadFold(queries);
}

/** The fold of this version as of the newest batch. */
export async function loadFold(queries: Queries): Promise<StoredFold> {
  const { rows } = await queries.query<{ records: string; state: string }>(
    'select records, state from evidence.folds where version = $1',
    [foldVersion],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('The fold has not been opened.');
  return { state: JSON.parse(row.state) as FoldState, records: Number(row.records) };
}

/** Stores records that follow `before`, and the state after them. */
export async function saveFold(
  queries: Queries,
  before: number,
  state: FoldState,
  records: readonly EvidenceRecord[],
): Promise<void> {
  await queries.query('update evidence.folds set size = $2, records = $3, state = $4 where version = $1', [
    foldVersion,
    state.size,
    before + records.length,
    JSON.stringify(state),
  ]);
  if (records.length === 0) return;
  await queries.query(
    `insert into evidence.records
       (fold, sequence, id, kind, index, time, agent, on_behalf_of, target, verdict, finding, value)
     select $1, sequence, id, kind, index, to_timestamp(milliseconds / 1000), agent, on_behalf_of, target, verdict,
            finding, value
     from unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::double precision[], $7::text[], $8::text[],
                 $9::text[], $10::text[], $11::text[], $12::text[])
          as given (sequence, id, kind, index, milliseconds, agent, on_behalf_of, target, verdict, finding, value)`,
    [
      foldVersion,
      records.map((_, index) => before + index),
      records.map(({ id }) => id),
      records.map(({ kind }) => kind),
      records.map(({ index }) => index),
      // As a number: RFC 3339 has a year 0, PostgreSQL's texts have none.
      records.map(({ time }) => Date.parse(time)),
      records.map(({ agent }) => agent ?? null),
      records.map(({ onBehalfOf }) => onBehalfOf ?? null),
      records.map(({ target }) => target ?? null),
      records.map(({ verdict }) => verdict ?? null),
      records.map(findingOf),
      records.map(recordText),
    ],
  );
  const references = records.flatMap(({ controls }, index) =>
    controls.map(({ id, relation }) => ({ id, relation, sequence: before + index })),
  );
  await queries.query(
    `insert into evidence.record_controls (fold, control, sequence, relation)
     select $1, * from unnest($2::text[], $3::bigint[], $4::text[])`,
    [
      foldVersion,
      references.map(({ id }) => id),
      references.map(({ sequence }) => sequence),
      references.map(({ relation }) => relation),
    ],
  );
  await addCounts(queries, records);
  const findings = records.filter(({ kind }) => kind === 'finding');
  await addAnnouncements(
    queries,
    findings.map((record) => ({ finding: record.id, record })),
  );
}

async function addCounts(queries: Queries, records: readonly EvidenceRecord[]): Promise<void> {
  const counts = countsOf(records);
  await queries.query(
    `insert into evidence.counters as counters (fold, dimension, name, count)
     select $1, * from unnest($2::text[], $3::text[], $4::bigint[])
     on conflict (fold, dimension, name) do update set count = counters.count + excluded.count`,
    [
      foldVersion,
      counts.map(({ dimension }) => dimension),
      counts.map(({ name }) => name),
      counts.map(({ count }) => count),
    ],
  );
}

/** Counts by dimension and name. */
export async function readCounts(
  queries: Queries,
): Promise<readonly { dimension: string; name: string; count: number }[]> {
  const { rows } = await queries.query<{ dimension: string; name: string; count: string }>(
    'select dimension, name, count from evidence.counters where fold = $1 order by dimension, name',
    [foldVersion],
  );
  return rows.map(({ dimension, name, count }) => ({ dimension, name, count: Number(count) }));
}

function findingOf(record: EvidenceRecord): string | null {
  const { finding } = record.data;
  return record.kind === 'finding' && typeof finding === 'string' ? finding : null;
}
