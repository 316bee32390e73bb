import {
  type Control,
  controls,
  type EvidenceRecord,
  findingsAsOf,
  foldVersion,
} from '@countersign/controls';
import { CountersignError } from '@countersign/errors';
import { FormatError, parseTilePath, tileHashReader } from '@countersign/transparency';
import { type PoolClient, transaction } from '../database/index.js';
import { type DossierSource, exportDossier } from '../export/index.js';
import { loadFold, readCounts } from '../fold/index.js';
import {
  newestCheckpoint,
  readEntryBundle,
  readHashTile,
  readLeavesAt,
  type StoredCheckpoint,
  tileReader,
} from '../log/index.js';
import {
  type FindingQuery,
  findRecord,
  findRecords,
  formatCursor,
  holdsId,
  type Order,
  type ProvenRecord,
  parseCursor,
  proveRecord,
  type RecordFilter,
  type RecordQuery,
} from '../records/index.js';

export interface RecordPage {
  readonly records: readonly EvidenceRecord[];
  /** Cursor of the next page; null at the end. */
  readonly next: string | null;
}

export interface FindingPage extends RecordPage {
  /** Size of the tree that the absences are computed for; null on pages after the first. */
  readonly treeSize: number | null;
  /** What has not arrived as of that tree; only on the first page. */
  readonly absences: readonly EvidenceRecord[];
}

export interface Statistics {
  readonly foldVersion: string;
  readonly treeSize: number;
  readonly checkpointAt: string | null;
  readonly kinds: Readonly<Record<string, number>>;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly controls: Readonly<Record<string, number>>;
  readonly findings: Readonly<Record<string, number>>;
}

/** What auditors read, each answer from one state of the database. */
export class Library {
  readonly #source: DossierSource;

  constructor(source: DossierSource) {
    this.#source = source;
  }

  controls(): readonly Control[] {
    return controls;
  }

  /** Throws http.not_found. */
  control(id: string): Control {
    const control = controls.find((candidate) => candidate.id === id);
    if (control === undefined) throw new CountersignError('http.not_found');
    return control;
  }

  async records({ cursor, limit, order, ...filter }: RecordQuery): Promise<RecordPage> {
    return page(this.#source.pool, filter, order, cursor, limit);
  }

  async findings({ cursor, limit, order, finding }: FindingQuery): Promise<FindingPage> {
    return this.#snapshot(async (client) => {
      const found = await page(client, { kind: 'finding', finding }, order, cursor, limit);
      if (cursor !== undefined) return { ...found, treeSize: null, absences: [] };
      const { state } = await loadFold(client);
      const absences = findingsAsOf(state, state.size).filter(
        (record) => finding === undefined || record.data.finding === finding,
      );
      return { ...found, treeSize: state.size, absences };
    });
  }

  /** Throws evidence.record_unknown, or evidence.not_ready. */
  async record(id: string): Promise<ProvenRecord> {
    return this.#snapshot(async (client) => {
      const checkpoint = await newestCheckpoint(client);
      if (checkpoint === null) throw new CountersignError('evidence.not_ready');
      const record = (await findRecord(client, id)) ?? (await absence(client, id));
      if (record === null) throw new CountersignError('evidence.record_unknown');
      const leaves = await readLeavesAt(client, record.indexes);
      const read = tileHashReader(checkpoint.size, tileReader(client));
      return proveRecord(record, leaves, checkpoint, read);
    });
  }

  /** Whether records name this agent or target. */
  holds(name: 'agent' | 'target', id: string): Promise<boolean> {
    return holdsId(this.#source.pool, name, id);
  }

  /** Throws evidence.not_ready. */
  async checkpoint(): Promise<StoredCheckpoint> {
    const checkpoint = await newestCheckpoint(this.#source.pool);
    if (checkpoint === null) throw new CountersignError('evidence.not_ready');
    return checkpoint;
  }

  /** Bytes of the tile or bundle at a path below the log's prefix (C2SP tlog-tiles). Throws http.not_found. */
  async tile(path: string): Promise<Uint8Array> {
    const { pool } = this.#source;
    try {
      const { level, index, width } = parseTilePath(path);
      return level === 'entries'
        ? await readEntryBundle(pool, { index, width })
        : await readHashTile(pool, { level, index, width });
    } catch (error) {
      if (error instanceof FormatError) throw new CountersignError('http.not_found');
      throw error;
    }
  }

  dossier(): AsyncGenerator<string> {
    return exportDossier(this.#source);
  }

  async statistics(): Promise<Statistics> {
    return this.#snapshot(async (client) => {
      const counts = await readCounts(client);
      const of = (wanted: string) =>
        Object.fromEntries(
          counts.filter(({ dimension }) => dimension === wanted).map(({ name, count }) => [name, count]),
        );
      const checkpoint = await newestCheckpoint(client);
      return {
        foldVersion,
        treeSize: checkpoint?.size ?? 0,
        checkpointAt: checkpoint?.createdAt.toISOString() ?? null,
        kinds: of('kind'),
        verdicts: of('verdict'),
        controls: of('control'),
        findings: of('finding'),
      };
    });
  }

  #snapshot<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result> {
    return transaction(this.#source.pool, 'isolation level repeatable read, read only', work);
  }
}

async function page(
  queries: Pick<PoolClient, 'query'>,
  filter: RecordFilter,
  order: Order,
  cursor: string | undefined,
  limit: number,
): Promise<RecordPage> {
  const after = cursor === undefined ? null : parseCursor(cursor, filter, order);
  const found = await findRecords(queries, filter, order, after, limit);
  const next = found.after === null ? null : formatCursor(filter, order, found.after);
  return { records: found.records, next };
}

/**
 * A finding of absence by its id, as of now: its id names the checkpoint it was found at, and what was absent then may
 * have arrived, or still be absent under a newer checkpoint.
 */
async function absence(client: PoolClient, id: string): Promise<EvidenceRecord | null> {
  const subject = /^(finding-.+)-at-\d+$/.exec(id)?.[1];
  if (subject === undefined) return null;
  const { state } = await loadFold(client);
  const absent = findingsAsOf(state, state.size);
  return absent.find((record) => record.id === `${subject}-at-${state.size}`) ?? null;
}
