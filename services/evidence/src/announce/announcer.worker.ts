import { setTimeout as sleep } from 'node:timers/promises';
import { topics } from '@countersign/contracts';
import { type EvidenceRecord, type FoldState, findingsAsOf } from '@countersign/controls';
import type { EventLog } from '@countersign/event-log';
import type { EventDraft, Producer } from '@countersign/ledger';
import type { Pool } from '../database/index.js';
import {
  type Announcement,
  addAnnouncements,
  dueAnnouncements,
  loadFold,
  markAnnounced,
} from '../fold/index.js';
import { takeIn } from '../ingest/index.js';
import { isLeaf, olderThan } from '../log/index.js';

export interface AnnouncerOptions {
  readonly pool: Pool;
  readonly eventLog: EventLog;
  readonly producer: Producer;
  /** Key of this producer's events. */
  readonly source: string;
  /** How long something must be absent before it is told of, seconds. */
  readonly afterSeconds: number;
  readonly everyMilliseconds: number;
  readonly signal: AbortSignal;
  onError(error: unknown): void;
}

/** Absences that mean something went wrong once they last; the others are how things are under way. */
const telling: ReadonlySet<string> = new Set([
  'no-outcome',
  'decision-without-approval',
  'approval-without-decision',
  'unsigned-tail',
]);

const most = 100;

/** Looks at whether an own event is a leaf, and milliseconds between two. */
const looks = 50;
const lookEvery = 100;

/**
 * Tells of each finding once on evidence's own topic. What has been told is known from the log itself: ingestion marks
 * the findings of announcements it takes in, and nothing is told before the own events so far are leaves. So neither a
 * crash nor a lost answer makes it tell twice.
 */
export async function announceFindings(options: AnnouncerOptions): Promise<void> {
  while (!options.signal.aborted) {
    try {
      await announceOnce(options);
    } catch (error) {
      if (!options.signal.aborted) options.onError(error);
    }
    await sleep(options.everyMilliseconds, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

async function announceOnce(options: AnnouncerOptions): Promise<void> {
  const { pool, producer } = options;
  if (!producer.healthy || !(await ownPastIsKnown(options))) return;
  const { state } = await loadFold(pool);
  await addAnnouncements(pool, await lasting(options, state));
  const due = await dueAnnouncements(pool, most);
  if (due.length === 0) return;
  await producer.append(due.map(draftOf));
  await markAnnounced(
    pool,
    due.map(({ finding }) => finding),
  );
}

/** Waits until what this producer has said before now is in the log; false where that does not come about soon. */
async function ownPastIsKnown({ eventLog, pool, source, signal }: AnnouncerOptions): Promise<boolean> {
  const head = await eventLog.head(topics.evidence, source);
  if (head === null) return true;
  const { eventId, hash } = takeIn(head);
  for (let look = 0; look < looks && !signal.aborted; look += 1) {
    if (await isLeaf(pool, eventId, hash)) return true;
    await sleep(lookEvery, undefined, { signal });
  }
  return false;
}

async function lasting(options: AnnouncerOptions, state: FoldState): Promise<readonly Announcement[]> {
  const absent = findingsAsOf(state, state.size).filter(({ data }) => telling.has(String(data.finding)));
  if (absent.length === 0) return [];
  const indexes = absent.map(({ index }) => index);
  const old = await olderThan(options.pool, indexes, options.afterSeconds);
  return absent
    .filter(({ index }) => old.has(index))
    .map((record) => ({ finding: withoutCheckpoint(record), record }));
}

function withoutCheckpoint(record: EvidenceRecord): string {
  return record.id.replace(/-at-\d+$/, '');
}

function draftOf({ finding, record }: Announcement): EventDraft<'countersign.evidence.finding.v1'> {
  return {
    type: 'countersign.evidence.finding.v1',
    origin: 'system',
    data: {
      finding: String(record.data.finding),
      record: finding,
      index: record.index,
      controls: record.controls.map(({ id }) => id),
      summary: record.summary,
    },
  };
}
