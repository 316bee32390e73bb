import { findingsAsOf, foldVersion, recordText } from '@countersign/controls';
import { CountersignError } from '@countersign/errors';
import { toBase64 } from '@countersign/transparency';
import { writeDossier } from '@countersign/verifier';
import type { Pool, PoolClient } from '../database/index.js';
import { loadFold } from '../fold/index.js';
import { type CheckpointKey, newestCheckpoint, readLeaves } from '../log/index.js';
import { readBundles } from './policies.store.js';

/** Rows that are held at once. */
const page = 500;
/** Checkpoints of one dossier; those in between say nothing that these do not. */
const mostCheckpoints = 200;

export interface DossierSource {
  readonly pool: Pool;
  readonly key: CheckpointKey;
  /** Files and folders of policy bundles. */
  readonly policies: readonly string[];
}

/**
 * Yields the lines of the dossier of everything up to the newest checkpoint, from one snapshot of the database, reading
 * ahead no further than a page. Return or throw into the generator to let go of the database.
 * Throws evidence.not_ready where there is no checkpoint.
 */
export async function* exportDossier({ pool, key, policies }: DossierSource): AsyncGenerator<string> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  try {
    await client.query('begin isolation level repeatable read, read only');
    // Reading a large log takes longer than any question of the API.
    await client.query("set local statement_timeout = '10min'");
    const checkpoint = await newestCheckpoint(client);
    if (checkpoint === null) throw new CountersignError('evidence.not_ready');
    const { state } = await loadFold(client);
    yield* writeDossier({
      manifest: {
        origin: key.origin,
        treeSize: checkpoint.size,
        foldVersion,
        createdAt: new Date().toISOString(),
        verifierKey: key.verifierKey,
        authority: key.authority,
        checkpointCertificate: key.certificate,
      },
      checkpoints: await checkpointNotes(client),
      leafHashes: leafHashes(client, checkpoint.size),
      policies: readBundles(policies, await activatedPolicies(client)),
      events: events(client, checkpoint.size),
      records: records(client, () => findingsAsOf(state, checkpoint.size).map(recordText)),
    });
  } catch (error) {
    broken = error instanceof CountersignError ? broken : (error as Error);
    throw error;
  } finally {
    await client.query('rollback').catch((failure: Error) => {
      broken = failure;
    });
    client.off('error', onError);
    client.release(broken);
  }
}

/** Signed notes, ascending, spread evenly over the log, the newest among them. */
async function checkpointNotes(client: PoolClient): Promise<readonly string[]> {
  const { rows } = await client.query<{ note: string }>(
    `select note from (
       select size, note, row_number() over (order by size desc) as place, count(*) over () as total
       from evidence.checkpoints
     ) as numbered
     where (place - 1) % greatest(1, ceil(total / $1::numeric)) = 0
     order by size`,
    [mostCheckpoints],
  );
  return rows.map(({ note }) => note);
}

async function* leafHashes(client: PoolClient, size: number): AsyncGenerator<Uint8Array> {
  // From the tiles, which outlive the content of leaves.
  for (let index = 0; index * 256 < size; index += 1) {
    const { rows } = await client.query<{ bytes: Buffer }>(
      'select bytes from evidence.tiles where level = 0 and index = $1',
      [index],
    );
    const bytes = rows[0]?.bytes ?? Buffer.alloc(0);
    for (let offset = 0; offset < bytes.length; offset += 32) yield bytes.subarray(offset, offset + 32);
  }
}

async function* events(client: PoolClient, size: number) {
  for (let from = 0; from < size; from += page) {
    for (const { index, topic, key, value, signature } of await readLeaves(client, from, page)) {
      yield {
        index,
        topic,
        key,
        value: Buffer.from(value).toString('utf8'),
        signature: signature === null ? null : toBase64(signature),
      };
    }
  }
}

async function* records(client: PoolClient, absent: () => readonly string[]): AsyncGenerator<string> {
  for (let after = -1; ; ) {
    const { rows } = await client.query<{ sequence: string; value: string }>(
      'select sequence, value from evidence.records where fold = $1 and sequence > $2 order by sequence limit $3',
      [foldVersion, after, page],
    );
    for (const { value } of rows) yield value;
    const last = rows.at(-1);
    if (last === undefined) break;
    after = Number(last.sequence);
  }
  yield* absent();
}

/** Policy digest by digest of the bundle, of every activation on record. */
async function activatedPolicies(client: PoolClient): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ bundle: string | null; policy: string | null }>(
    `select distinct value::json #>> '{data,bundleDigest}' as bundle, value::json #>> '{data,policyDigest}' as policy
     from evidence.records where fold = $1 and kind = 'policy' and value::json #>> '{data,what}' = 'policy'`,
    [foldVersion],
  );
  return new Map(
    rows.flatMap(({ bundle, policy }) =>
      bundle === null || policy === null ? [] : [[bundle, policy] as const],
    ),
  );
}
