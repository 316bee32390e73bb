import { setTimeout as sleep } from 'node:timers/promises';
import { CountersignError } from '@countersign/errors';
import type { EventRecord } from '@countersign/event-log';
import type { EventDraft, ProducerJournal, SealedEvent } from '@countersign/ledger';
import type { Database } from '../storage/index.js';

/** An event that waits to be sealed. */
export interface WaitingEvent {
  readonly id: string;
  readonly draft: EventDraft;
}

/** Events that the producer makes by itself; they never stood in the outbox. */
const own = new Set<string>(['countersign.epoch.opened.v1', 'countersign.recording.resumed.v1']);
/** Milliseconds between attempts to note that the log has something. */
const pause = 200;

const idsOf = (events: readonly SealedEvent[]) => events.map(({ envelope }) => envelope.id);

/**
 * The relay's memory. Bytes are noted, and the outbox rows that they seal marked, in one transaction before they are
 * appended: an event is sealed once, and what was sealed is sent as it is until the log has it, by this life of the service or
 * the next.
 */
export class Journal implements ProducerJournal {
  readonly #database: Database;
  readonly #given: AbortSignal;
  #left: readonly string[] = [];

  /** @param given aborted when this life of the relay ends */
  constructor(database: Database, given: AbortSignal) {
    this.#database = database;
    this.#given = given;
  }

  /** The next events to seal, in the order in which they happened. */
  async waiting(limit: number): Promise<WaitingEvent[]> {
    const rows = await this.#database.query<{ id: string; draft: string }>(
      'select id, draft from outbox where not sealed order by position limit $1',
      [limit],
    );
    return rows.map(({ id, draft }) => ({ id, draft: JSON.parse(draft) as EventDraft }));
  }

  /** Also what another instance left behind: the lock says that it is dead, and its bytes are its own, whoever sends them. */
  async unacknowledged(): Promise<readonly EventRecord[]> {
    const rows = await this.#database.query<{
      event: string;
      producer: string;
      value: Buffer;
      signature: Buffer | null;
    }>('select event, producer, value, signature from journal order by position');
    this.#left = rows.map(({ event }) => event);
    return rows.map(({ producer: key, value, signature }) => ({ key, value, signature }));
  }

  /** What an earlier life had left is in the log: true once a producer has opened. */
  async leftAcknowledged(): Promise<void> {
    await this.#forget(this.#left);
    this.#left = [];
  }

  async sealed(events: readonly SealedEvent[], records: readonly EventRecord[]): Promise<void> {
    const expected = events.filter(({ envelope }) => !own.has(envelope.type)).length;
    await this.#database.transaction(async ({ client }) => {
      const noted = await client.query(
        `insert into journal (producer, event, value, signature)
         select * from unnest($1::text[], $2::uuid[], $3::bytea[], $4::bytea[])
         on conflict (event) do nothing`,
        [
          records.map(({ key }) => key),
          idsOf(events),
          records.map(({ value }) => Buffer.from(value)),
          records.map(({ signature }) => (signature === null ? null : Buffer.from(signature))),
        ],
      );
      // All noted before: the answer to the commit was lost, not the commit.
      if (noted.rowCount === 0) return;
      const marked = await client.query(
        'update outbox set sealed = true where id = any($1::uuid[]) and not sealed',
        [idsOf(events)],
      );
      // Somebody else has sealed one of them: appending it too would make two events of one.
      if (noted.rowCount !== events.length || marked.rowCount !== expected) {
        throw new CountersignError('internal', { detail: 'An event was to be sealed twice.' });
      }
    });
  }

  /** Tries until it is noted: a row that stayed would hold back whoever waits for it. */
  async acknowledged(events: readonly SealedEvent[]): Promise<void> {
    for (;;) {
      try {
        await this.#forget(idsOf(events));
        return;
      } catch (error) {
        if (this.#given.aborted) throw error;
        await sleep(pause);
      }
    }
  }

  async #forget(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#database.transaction(async (transaction) => {
      await transaction.client.query('delete from journal where event = any($1::uuid[])', [ids]);
      await transaction.client.query('delete from outbox where id = any($1::uuid[])', [ids]);
      await transaction.announce({ kind: 'published' });
    });
  }
}
