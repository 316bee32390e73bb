import { type EvidenceRecord, foldVersion } from '@countersign/controls';
import type { Queries } from '../log/index.js';
import type { Order } from './cursor.js';
import type { RecordFilter } from './query.js';

export interface Page {
  readonly records: readonly EvidenceRecord[];
  /** Place of the last record, if more follow. */
  readonly after: number | null;
}

const columns = {
  agent: 'r.agent',
  target: 'r.target',
  verdict: 'r.verdict',
  kind: 'r.kind',
  finding: 'r.finding',
} as const;

/** Records in log order, or newest first, after a place. */
export async function findRecords(
  queries: Queries,
  filter: RecordFilter,
  order: Order,
  after: number | null,
  limit: number,
): Promise<Page> {
  const values: unknown[] = [foldVersion];
  const place = (value: unknown) => `$${values.push(value)}`;
  const conditions = ['r.fold = $1'];
  for (const [name, column] of Object.entries(columns) as [keyof typeof columns, string][]) {
    const value = filter[name];
    if (value !== undefined) conditions.push(`${column} = ${place(value)}`);
  }
  if (filter.from !== undefined) conditions.push(`r.time >= ${place(filter.from)}`);
  if (filter.to !== undefined) conditions.push(`r.time < ${place(filter.to)}`);
  // By a control's own rows, so that its first page needs no scan of others' records.
  const sequence = filter.control === undefined ? 'r.sequence' : 'c.sequence';
  const join =
    filter.control === undefined
      ? ''
      : `join evidence.record_controls c
         on c.fold = r.fold and c.sequence = r.sequence and c.fold = $1 and c.control = ${place(filter.control)}`;
  if (after !== null) conditions.push(`${sequence} ${order === 'oldest' ? '>' : '<'} ${place(after)}`);
  const { rows } = await queries.query<{ sequence: string; value: string }>(
    `select ${sequence} as sequence, r.value from evidence.records r ${join}
     where ${conditions.join(' and ')}
     order by ${sequence} ${order === 'oldest' ? 'asc' : 'desc'} limit ${place(limit + 1)}`,
    values,
  );
  const page = rows.slice(0, limit);
  return {
    records: page.map(({ value }) => JSON.parse(value) as EvidenceRecord),
    after: rows.length > limit ? Number(page.at(-1)?.sequence) : null,
  };
}

export async function findRecord(queries: Queries, id: string): Promise<EvidenceRecord | null> {
  const { rows } = await queries.query<{ value: string }>(
    'select value from evidence.records where fold = $1 and id = $2',
    [foldVersion, id],
  );
  return rows[0] === undefined ? null : (JSON.parse(rows[0].value) as EvidenceRecord);
}

/** Whether any record names this agent or target. */
export async function holdsId(queries: Queries, name: 'agent' | 'target', id: string): Promise<boolean> {
  const { rowCount } = await queries.query(
    `select from evidence.records where fold = $1 and ${name} = $2 limit 1`,
    [foldVersion, id],
  );
  return rowCount === 1;
}
