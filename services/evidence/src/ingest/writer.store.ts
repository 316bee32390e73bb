import { type EvidenceRecord, type FoldState, foldAll } from '@countersign/controls';
import type { StoredRecord } from '@countersign/event-log';
import {
  appendToEdge,
  edgeRoot,
  leafHash,
  partialTiles,
  signCheckpoint,
  type TileEdge,
} from '@countersign/transparency';
import { type Pool, type PoolClient, transaction } from '../database/index.js';
import { markAnnounced, openFold, saveFold } from '../fold/index.js';
import {
  type CheckpointKey,
  findEvents,
  insertLeaves,
  lastKept,
  loadEdge,
  lockSize,
  openLog,
  readLeaves,
  type StoredLeaf,
  saveCheckpoint,
  saveSize,
  saveTiles,
} from '../log/index.js';
import { type Candidate, takeIn } from './intake.js';
import { lastPositions, savePositions } from './positions.store.js';

/** At most one checkpoint in so many milliseconds is kept beside the newest. */
const keepEvery = 1000;

/** Leaves that are folded in one transaction when a new version of the fold catches up. */
const catchUpBatch = 1000;

/** What a batch changed. */
export interface Written {
  /** Size of the tree after it. */
  readonly size: number;
  readonly leaves: number;
  readonly records: readonly EvidenceRecord[];
  /** Time of the newest event in it, milliseconds since 1970; null where it has none. */
  readonly newest: number | null;
}

interface Memory {
  readonly edge: TileEdge;
  readonly state: FoldState;
  readonly records: number;
  /** Milliseconds since 1970. */
  readonly keptAt: number;
}

/** Another writer moved the log on; this one has to read it again. */
export class StaleWriter extends Error {}

/**
 * Turns batches of the event log into leaves, tiles, a checkpoint, records and positions, in one transaction each:
 * whatever instant a process dies at, the database holds all of a batch or nothing of it. What is delivered again is
 * known by event id and hash.
 */
export interface Writer {
  write(batch: readonly StoredRecord[]): Promise<Written>;
  readonly size: number;
}

/** Reads where the log stands; folds what an older version of the fold has not seen. */
export async function openWriter(pool: Pool, key: CheckpointKey): Promise<Writer> {
  let memory = await load(pool, key);
  return {
    get size() {
      return memory.edge.size;
    },
    async write(batch) {
      const candidates = batch.map(takeIn);
      const outcome = await transaction(pool, 'read write', (client) =>
        writeBatch(client, key, memory, candidates, batch),
      );
      memory = outcome.memory;
      return outcome.written;
    },
  };
}

async function load(pool: Pool, key: CheckpointKey): Promise<Memory> {
  for (;;) {
    const memory = await transaction(pool, 'read write', async (client) => {
      await openLog(client, key.origin);
      const size = await lockSize(client);
      const fold = await openFold(client, key.authority);
      if (fold.state.size < size) {
        const leaves = await readLeaves(client, fold.state.size, catchUpBatch);
        const { state, records } = foldAll(fold.state, leaves);
        await saveFold(client, fold.records, state, records);
        return null;
      }
      const edge = await loadEdge(client, size);
      const keptAt = (await lastKept(client))?.getTime() ?? 0;
      return { edge, state: fold.state, records: fold.records, keptAt };
    });
    if (memory !== null) return memory;
  }
}

async function writeBatch(
  client: PoolClient,
  key: CheckpointKey,
  memory: Memory,
  candidates: readonly Candidate[],
  batch: readonly StoredRecord[],
): Promise<{ memory: Memory; written: Written }> {
  const size = await lockSize(client);
  if (size !== memory.edge.size) throw new StaleWriter('The log was moved on by another writer.');
  const leaves = await newLeaves(client, size, candidates);
  await savePositions(client, lastPositions(batch));
  const times = candidates.flatMap(({ time }) => (time === null ? [] : [time]));
  const newest = times.length === 0 ? null : Math.max(...times);
  if (leaves.length === 0) return { memory, written: { size, leaves: 0, records: [], newest } };

  const { edge, full } = appendToEdge(
    memory.edge,
    leaves.map(({ value }) => leafHash(value)),
  );
  const { state, records } = foldAll(memory.state, leaves);
  const createdAt = new Date();
  const kept = createdAt.getTime() - memory.keptAt >= keepEvery;
  const note = signCheckpoint(
    { origin: key.origin, size: edge.size, root: edgeRoot(edge), extensions: [] },
    key.privateKey,
  );
  await insertLeaves(client, leaves);
  await saveTiles(client, [...full, ...partialTiles(edge)]);
  await saveFold(client, memory.records, state, records);
  await saveCheckpoint(client, { size: edge.size, note, createdAt }, kept);
  await saveSize(client, edge.size);
  const told = candidates.flatMap(({ announces }) => (announces === null ? [] : [announces]));
  if (told.length > 0) await markAnnounced(client, told);
  return {
    memory: {
      edge,
      state,
      records: memory.records + records.length,
      keptAt: kept ? createdAt.getTime() : memory.keptAt,
    },
    written: { size: edge.size, leaves: leaves.length, records, newest },
  };
}

/** What is not a leaf yet, numbered; an id that is known with other bytes says which leaf it repeats. */
async function newLeaves(
  client: PoolClient,
  size: number,
  candidates: readonly Candidate[],
): Promise<readonly StoredLeaf[]> {
  const seen = new Map<string, { first: number; readonly hashes: Set<string> }>();
  const remember = (eventId: string, hash: Uint8Array, index: number): void => {
    const known = seen.get(eventId) ?? { first: index, hashes: new Set() };
    known.first = Math.min(known.first, index);
    known.hashes.add(hexOf(hash));
    seen.set(eventId, known);
  };
  const ids = [...new Set(candidates.map(({ eventId }) => eventId))];
  for (const { eventId, hash, index } of await findEvents(client, ids)) remember(eventId, hash, index);
  const leaves: StoredLeaf[] = [];
  for (const { eventId, topic, key, value, hash, signature } of candidates) {
    const known = seen.get(eventId);
    if (known?.hashes.has(hexOf(hash))) continue;
    const index = size + leaves.length;
    leaves.push({
      index,
      eventId,
      topic,
      key,
      value,
      hash,
      signature,
      ...(known === undefined ? {} : { repeats: known.first }),
    });
    remember(eventId, hash, index);
  }
  return leaves;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
