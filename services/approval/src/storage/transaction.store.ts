import type { EventDraft } from '@countersign/ledger';
import type { ClientBase } from 'pg';
import { v7 as newEventId } from 'uuid';
import { fold, type Rules, type Ruling } from '../aggregate/index.js';
import type { Change } from './change.js';
import { changeChannel } from './change.js';

/** An aggregate as the store keeps it: its rules, what of it is published, and how it is listed. */
export interface Aggregate<State, Command, Happening> {
  /** First part of its streams' names. */
  readonly category: string;
  readonly rules: Rules<State, Command, Happening>;
  /** The event that tells others what happened. Pure. */
  publish(id: string, state: State, happening: Happening): EventDraft;
  /** Keeps the tables that are read by; runs in the transaction of what happened. */
  project(transaction: Transaction, id: string, state: State, happening: Happening): Promise<void>;
}

export interface Applied<State, Happening> extends Ruling<Happening> {
  readonly state: State;
}

const streamOf = (category: string, id: string) => `${category}/${id}`;

/** One transaction over aggregates, their tables and the outbox. */
export class Transaction {
  readonly client: ClientBase;

  constructor(client: ClientBase) {
    this.client = client;
  }

  /** Others who take the same name wait until this transaction ends. */
  async lock(name: string): Promise<void> {
    await this.client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
  }

  async #history<Happening>(stream: string): Promise<Happening[]> {
    const { rows } = await this.client.query<{ data: Happening }>(
      'select data from happening where stream = $1 order by version',
      [stream],
    );
    return rows.map((row) => row.data);
  }

  /** The state of an aggregate as this transaction sees it. */
  async load<State, Command, Happening>(
    aggregate: Aggregate<State, Command, Happening>,
    id: string,
  ): Promise<State> {
    return fold(aggregate.rules, await this.#history<Happening>(streamOf(aggregate.category, id)));
  }

  /**
   * Puts a command to an aggregate and keeps what happens. The lock only spares retries: that two commands cannot both
   * build on the same version is the primary key's doing.
   */
  async apply<State, Command, Happening>(
    aggregate: Aggregate<State, Command, Happening>,
    id: string,
    command: Command,
  ): Promise<Applied<State, Happening>> {
    const stream = streamOf(aggregate.category, id);
    await this.lock(stream);
    const history = await this.#history<Happening>(stream);
    let state = fold(aggregate.rules, history);
    const ruling = aggregate.rules.decide(state, command);
    let version = history.length;
    for (const happening of ruling.happened) {
      version += 1;
      state = aggregate.rules.evolve(state, happening);
      await this.client.query('insert into happening (stream, version, data) values ($1, $2, $3)', [
        stream,
        version,
        JSON.stringify(happening),
      ]);
      await aggregate.project(this, id, state, happening);
      await this.publish(aggregate.publish(id, state, happening), stream);
    }
    return { ...ruling, state };
  }

  /** Hands an event to the relay, to be published once this transaction has committed. */
  async publish(draft: EventDraft, stream = ''): Promise<void> {
    const id = draft.id ?? newEventId();
    await this.client.query('insert into outbox (id, stream, draft) values ($1, $2, $3)', [
      id,
      stream,
      JSON.stringify({ ...draft, id }),
    ]);
    await this.announce({ kind: 'outbox' });
  }

  /** Tells every instance of the service, at the moment of commit. */
  async announce(change: Change): Promise<void> {
    await this.client.query('select pg_notify($1, $2)', [changeChannel, JSON.stringify(change)]);
  }
}
