import type { Leaf } from '@countersign/controls';
import { CountersignError } from '@countersign/errors';
import {
  encodeEntryBundle,
  type HashTile,
  readEdge,
  TILE_WIDTH,
  type TileCoordinate,
  type TileEdge,
  type TileReader,
} from '@countersign/transparency';
import type { PoolClient } from '../database/index.js';
import type { StoredLeaf } from './leaf.js';

/** Anything that answers queries: the pool, or one connection in a transaction. */
export type Queries = Pick<PoolClient, 'query'>;

export interface StoredCheckpoint {
  readonly size: number;
  /** Signed note (C2SP tlog-checkpoint). */
  readonly note: string;
  readonly createdAt: Date;
}

/** The log's size, locked for this transaction, so that batches follow one another. */
export async function lockSize(client: PoolClient): Promise<number> {
  const { rows } = await client.query<{ size: string }>('select size from evidence.log for update');
  return Number(rows[0]?.size ?? 0);
}

/**
 * The log's size; made empty under its origin where there is none.
 * Throws config.invalid where the database holds the log of another origin.
 */
export async function openLog(queries: Queries, origin: string): Promise<number> {
  await queries.query('insert into evidence.log (origin, size) values ($1, 0) on conflict do nothing', [
    origin,
  ]);
  const { rows } = await queries.query<{ origin: string; size: string }>(
    'select origin, size from evidence.log',
  );
  if (rows[0]?.origin !== origin) {
    throw new CountersignError('config.invalid', {
      detail: 'origin: the database holds the log of another origin.',
      next: 'Name the origin that the log was begun with, or another database.',
    });
  }
  return Number(rows[0].size);
}

/** What is already a leaf, of the given event ids: index and hash. */
export async function findEvents(
  queries: Queries,
  eventIds: readonly string[],
): Promise<readonly { eventId: string; hash: Buffer; index: number }[]> {
  const { rows } = await queries.query<{ event_id: string; hash: Buffer; index: string }>(
    'select event_id, hash, index from evidence.leaves where event_id = any($1)',
    [eventIds],
  );
  return rows.map((row) => ({ eventId: row.event_id, hash: row.hash, index: Number(row.index) }));
}

export async function insertLeaves(queries: Queries, leaves: readonly StoredLeaf[]): Promise<void> {
  await queries.query(
    `insert into evidence.leaves (index, event_id, topic, key, value, hash, signature, repeats)
     select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::bytea[],
                          $8::bigint[])`,
    [
      leaves.map(({ index }) => index),
      leaves.map(({ eventId }) => eventId),
      leaves.map(({ topic }) => topic),
      leaves.map(({ key }) => key),
      leaves.map(({ value }) => bufferOf(value)),
      leaves.map(({ hash }) => bufferOf(hash)),
      leaves.map(({ signature }) => (signature === null ? null : bufferOf(signature))),
      leaves.map(({ repeats }) => repeats ?? null),
    ],
  );
}

export async function saveTiles(queries: Queries, tiles: readonly HashTile[]): Promise<void> {
  await queries.query(
    `insert into evidence.tiles (level, index, bytes)
     select * from unnest($1::smallint[], $2::bigint[], $3::bytea[])
     on conflict (level, index) do update set bytes = excluded.bytes`,
    [
      tiles.map(({ level }) => level),
      tiles.map(({ index }) => index),
      tiles.map(({ bytes }) => bufferOf(bytes)),
    ],
  );
}

export async function saveSize(queries: Queries, size: number): Promise<void> {
  await queries.query('update evidence.log set size = $1', [size]);
}

/** Adds a checkpoint; the one before goes unless it is kept. */
export async function saveCheckpoint(
  queries: Queries,
  checkpoint: StoredCheckpoint,
  kept: boolean,
): Promise<void> {
  await queries.query('delete from evidence.checkpoints where not kept');
  await queries.query(
    'insert into evidence.checkpoints (size, note, created_at, kept) values ($1, $2, $3, $4)',
    [checkpoint.size, checkpoint.note, checkpoint.createdAt, kept],
  );
}

export async function newestCheckpoint(queries: Queries): Promise<StoredCheckpoint | null> {
  const { rows } = await queries.query<{ size: string; note: string; created_at: Date }>(
    'select size, note, created_at from evidence.checkpoints order by size desc limit 1',
  );
  const [row] = rows;
  return row === undefined ? null : { size: Number(row.size), note: row.note, createdAt: row.created_at };
}

/** When the newest checkpoint that stays was made; null for none. */
export async function lastKept(queries: Queries): Promise<Date | null> {
  const { rows } = await queries.query<{ at: Date | null }>(
    'select max(created_at) as at from evidence.checkpoints where kept',
  );
  return rows[0]?.at ?? null;
}

/** The right edge of the tree of `size` leaves, which is the whole tree. */
export async function loadEdge(queries: Queries, size: number): Promise<TileEdge> {
  return readEdge(size, tileReader(queries));
}

/** Reads hash tiles, one after the other: a connection answers one question at a time. */
export function tileReader(queries: Queries): TileReader {
  let before: Promise<unknown> = Promise.resolve();
  return (tile) => {
    const read = before.then(() => readHashTile(queries, tile));
    before = read.catch(() => undefined);
    return read;
  };
}

/** Bytes of a hash tile. Throws http.not_found where the log has no such tile. */
export async function readHashTile(
  queries: Queries,
  tile: TileCoordinate & { readonly level: number },
): Promise<Uint8Array> {
  const { rows } = await queries.query<{ bytes: Buffer }>(
    'select bytes from evidence.tiles where level = $1 and index = $2',
    [tile.level, tile.index],
  );
  const length = tile.width * 32;
  const bytes = rows[0]?.bytes;
  if (bytes === undefined || bytes.length < length) throw new CountersignError('http.not_found');
  return bytes.subarray(0, length);
}

/** Bytes of an entry bundle. Throws http.not_found where the log has no such bundle. */
export async function readEntryBundle(
  queries: Queries,
  { index, width }: Pick<TileCoordinate, 'index' | 'width'>,
): Promise<Uint8Array> {
  const leaves = await readLeaves(queries, index * TILE_WIDTH, width);
  if (leaves.length < width) throw new CountersignError('http.not_found');
  return encodeEntryBundle(leaves.map(({ value }) => value));
}

/** Leaves from an index on, at most `count`. */
export async function readLeaves(queries: Queries, from: number, count: number): Promise<readonly Leaf[]> {
  const { rows } = await queries.query<LeafRow>(
    `select index, topic, key, value, signature, repeats from evidence.leaves
     where index >= $1 and index < $2 order by index`,
    [from, from + count],
  );
  return rows.map(leafOf);
}

/** Leaves of given indexes, ascending. */
export async function readLeavesAt(queries: Queries, indexes: readonly number[]): Promise<readonly Leaf[]> {
  const { rows } = await queries.query<LeafRow>(
    `select index, topic, key, value, signature, repeats from evidence.leaves
     where index = any($1::bigint[]) order by index`,
    [indexes],
  );
  return rows.map(leafOf);
}

/** Of the leaves, those that were taken in more than so many seconds ago. */
export async function olderThan(
  queries: Queries,
  indexes: readonly number[],
  seconds: number,
): Promise<ReadonlySet<number>> {
  const { rows } = await queries.query<{ index: string }>(
    `select index from evidence.leaves
     where index = any($1::bigint[]) and ingested_at < now() - make_interval(secs => $2)`,
    [indexes, seconds],
  );
  return new Set(rows.map(({ index }) => Number(index)));
}

/** Whether the bytes of an event are a leaf. */
export async function isLeaf(queries: Queries, eventId: string, hash: Uint8Array): Promise<boolean> {
  const { rowCount } = await queries.query('select from evidence.leaves where event_id = $1 and hash = $2', [
    eventId,
    bufferOf(hash),
  ]);
  return rowCount !== null && rowCount > 0;
}

interface LeafRow {
  readonly index: string;
  readonly topic: string;
  readonly key: string;
  readonly value: Buffer;
  readonly signature: Buffer | null;
  readonly repeats: string | null;
}

function leafOf(row: LeafRow): Leaf {
  return {
    index: Number(row.index),
    topic: row.topic,
    key: row.key,
    value: row.value,
    signature: row.signature,
    ...(row.repeats === null ? {} : { repeats: Number(row.repeats) }),
  };
}

/** The driver sends a Buffer as bytes, and any other array as a list of numbers. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
