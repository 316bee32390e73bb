import { type EvidenceRecord, recordText } from '@countersign/controls';
import type { Queries } from '../log/index.js';

/** A finding that has not been told of. */
export interface Announcement {
  /** Id of the record; of a finding of absence, without the checkpoint that it was found at. */
  readonly finding: string;
  readonly record: EvidenceRecord;
}

export async function dueAnnouncements(queries: Queries, limit: number): Promise<readonly Announcement[]> {
  const { rows } = await queries.query<{ finding: string; value: string }>(
    'select finding, value from evidence.announcements where not announced order by finding limit $1',
    [limit],
  );
  return rows.map(({ finding, value }) => ({ finding, record: JSON.parse(value) as EvidenceRecord }));
}

export async function addAnnouncements(
  queries: Queries,
  announcements: readonly Announcement[],
): Promise<void> {
  if (announcements.length === 0) return;
  await queries.query(
    `insert into evidence.announcements (finding, value)
     select * from unnest($1::text[], $2::text[]) on conflict do nothing`,
    [announcements.map(({ finding }) => finding), announcements.map(({ record }) => recordText(record))],
  );
}

export async function markAnnounced(queries: Queries, findings: readonly string[]): Promise<void> {
  await queries.query('update evidence.announcements set announced = true where finding = any($1)', [
    findings,
  ]);
}
