import { CountersignError } from '@countersign/errors';
import type pg from 'pg';
import type { StoredRecord } from '../../event-log.js';
import { formatPosition, type Place } from './position.js';

/*
 * The order of a topic is (xid, ordinal): the transaction that appended a record, and the record's place in there.
 *
 * Invariant: below pg_snapshot_xmin of a snapshot, nothing changes any more. xmin is the lowest transaction id that was
 * still running when the snapshot was taken; every lower one had ended by then, ids are never given again, and a
 * record's xid is always that of the transaction that inserted it. So whoever reads only records with xid < xmin, in
 * this order, has seen everything up to the last one read, and a transaction that commits late lies above it. (Ordered
 * by a sequence, a late commit would land below what was already read, and be skipped.)
 *
 * The price: a long transaction, anywhere in the PostgreSQL cluster, that has written something delays readers until
 * it ends. It never makes them miss anything.
 */
const READ = {
  name: 'read',
  text: `SELECT record.topic, record.xid::text AS xid, record.ordinal, record.key, record.value, record.signature
         FROM unnest($1::text[], $2::xid8[], $3::integer[]) AS after (topic, xid, ordinal)
         CROSS JOIN LATERAL (
           SELECT * FROM event_log.record
           WHERE record.topic = after.topic
             AND (record.xid, record.ordinal) > (after.xid, after.ordinal)
             AND record.xid < pg_snapshot_xmin(pg_current_snapshot())
           ORDER BY record.xid, record.ordinal
           LIMIT $4
         ) AS record
         ORDER BY record.xid, record.ordinal
         LIMIT $4`,
};

const HEAD = {
  name: 'head',
  text: `SELECT topic, xid::text AS xid, ordinal, key, value, signature FROM event_log.record
         WHERE topic = $1 AND key = $2
         -- Qualified: the bare name would be the output column, which is text and sorts 999 after 1000.
         ORDER BY record.xid DESC, record.ordinal DESC LIMIT 1`,
};

interface Row {
  readonly topic: string;
  readonly xid: string;
  readonly ordinal: number;
  readonly key: string;
  readonly value: Buffer;
  readonly signature: Buffer | null;
}

const toRecord = (row: Row): StoredRecord => ({
  topic: row.topic,
  partition: 0,
  position: formatPosition(row),
  key: row.key,
  value: row.value,
  signature: row.signature,
});

/** The next records of all topics together, in the order of the log. */
export async function readAfter(
  client: pg.Client,
  places: ReadonlyMap<string, Place>,
  limit: number,
): Promise<{ record: StoredRecord; place: Place }[]> {
  const entries = [...places];
  const { rows } = await client.query<Row>({
    ...READ,
    values: [
      entries.map(([topic]) => topic),
      entries.map(([, place]) => place.xid),
      entries.map(([, place]) => place.ordinal),
      limit,
    ],
  });
  return rows.map((row) => ({ record: toRecord(row), place: { xid: row.xid, ordinal: row.ordinal } }));
}

/**
 * Throws `config.invalid` where a topic holds a transaction id that this cluster has not given yet: then the rows come
 * from a dump of another cluster, and the invariant above does not hold for them.
 */
export async function refuseForeignOrder(client: pg.Client, topics: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ foreign: boolean | null }>(
    `SELECT bool_or(last.xid >= pg_snapshot_xmax(pg_current_snapshot())) AS foreign
     FROM unnest($1::text[]) AS asked (topic)
     CROSS JOIN LATERAL (
       SELECT xid FROM event_log.record WHERE record.topic = asked.topic ORDER BY xid DESC LIMIT 1
     ) AS last`,
    [topics],
  );
  if (rows[0]?.foreign === true) {
    throw new CountersignError('config.invalid', {
      detail: 'The event log was restored from a dump of another PostgreSQL cluster.',
      next: 'Restore it from a physical backup, which keeps the order of transactions.',
    });
  }
}

/** Milliseconds that `head` waits for transactions that run when it is asked. */
const SETTLE_WITHIN = 1_000;

/** The last record of a key, once the transactions that ran when it was asked have ended (or some time has passed). */
export async function readHead(client: pg.Client, topic: string, key: string): Promise<StoredRecord | null> {
  // An id of its own is above those of all transactions that run; a snapshot's xmax need not be.
  const { rows } = await client.query<{ bound: string }>('SELECT pg_current_xact_id()::text AS bound');
  const bound = rows[0]?.bound ?? '0';
  const end = performance.now() + SETTLE_WITHIN;
  while (performance.now() < end) {
    const settled = await client.query<{ settled: boolean }>(
      'SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8 AS settled',
      [bound],
    );
    if (settled.rows[0]?.settled === true) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const found = await client.query<Row>({ ...HEAD, values: [topic, key] });
  return found.rows[0] === undefined ? null : toRecord(found.rows[0]);
}
