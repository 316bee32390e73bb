import type { Position, StoredRecord } from '@countersign/event-log';
import type { Queries } from '../log/index.js';

/** A place in one partition of a topic: everything up to it has been taken in. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly position: Position;
}

/** The last place of each partition in a batch, whose records are in order within a partition. */
export function lastPositions(batch: readonly StoredRecord[]): readonly Place[] {
  const places = new Map<string, Place>();
  for (const { topic, partition, position } of batch) {
    places.set(`${topic}/${partition}`, { topic, partition, position });
  }
  return [...places.values()];
}

export async function savePositions(queries: Queries, places: readonly Place[]): Promise<void> {
  await queries.query(
    `insert into evidence.positions (topic, partition, position)
     select * from unnest($1::text[], $2::integer[], $3::text[])
     on conflict (topic, partition) do update set position = excluded.position`,
    [
      places.map(({ topic }) => topic),
      places.map(({ partition }) => partition),
      places.map(({ position }) => position),
    ],
  );
}

/** Where to go on reading, as the event log takes it. */
export async function loadPositions(queries: Queries): Promise<ReadonlyMap<string, Position>> {
  const { rows } = await queries.query<Place>('select topic, partition, position from evidence.positions');
  return new Map(rows.map(({ topic, partition, position }) => [`${topic}/${partition}`, position]));
}
