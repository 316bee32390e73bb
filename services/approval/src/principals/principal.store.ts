import { CountersignError } from '@countersign/errors';
import type { Actor, Kind, PersonRole } from '../aggregate/index.js';
import type { Aggregate, Database, Transaction } from '../storage/index.js';
import {
  bootstrapper,
  type Principal,
  type PrincipalCommand,
  type PrincipalHappening,
  type PrincipalState,
  principalRules,
} from './principal.js';
import { type PublicKey, thumbprintOf } from './public-key.js';

const originOf = (by: string) => (by === bootstrapper ? 'system' : 'person');

export const principalAggregate: Aggregate<PrincipalState, PrincipalCommand, PrincipalHappening> = {
  category: 'principal',
  rules: principalRules,
  publish(id, state, happening) {
    const { by } = happening;
    const origin = originOf(by);
    const kind = state?.kind ?? 'agent';
    switch (happening.type) {
      case 'enrolled': {
        const { roles, thumbprint: keyThumbprint } = happening;
        const data = { principal: id, kind, roles, keyThumbprint, by };
        return { type: 'countersign.principal.enrolled.v1', data, origin };
      }
      case 'rotated': {
        const { thumbprint: keyThumbprint, previous: previousKeyThumbprint } = happening;
        const data = { principal: id, kind, keyThumbprint, previousKeyThumbprint, by };
        return { type: 'countersign.principal.key-rotated.v1', data, origin };
      }
      case 'disabled':
        return { type: 'countersign.principal.disabled.v1', data: { principal: id, kind, by }, origin };
    }
  },
  async project({ client }, id, state, happening) {
    if (state === null) return;
    const { kind, roles, status, key, thumbprint } = state;
    if (happening.type !== 'disabled') {
      // The primary key is what makes a key single-use, should two enrolments race.
      await client.query('insert into principal_key (thumbprint, principal, kind) values ($1, $2, $3)', [
        thumbprint,
        id,
        kind,
      ]);
    }
    await client.query(
      `insert into principal (id, kind, roles, status, key, thumbprint, enrolled_at, enrolled_by)
       values ($1, $2, $3, $4, $5, $6, $7, $8)
       on conflict (id) do update set status = excluded.status, key = excluded.key, thumbprint = excluded.thumbprint`,
      [id, kind, roles, status, JSON.stringify(key), thumbprint, happening.at, happening.by],
    );
  },
};

export interface Enrolment {
  readonly id: string;
  readonly kind: Kind;
  readonly roles: readonly PersonRole[];
  readonly key: PublicKey;
}

interface Row {
  readonly id: string;
  readonly kind: Kind;
  readonly roles: PersonRole[];
  readonly status: Principal['status'];
  readonly key: PublicKey;
  readonly thumbprint: string;
  readonly enrolled_at: string;
  readonly enrolled_by: string;
}

export interface ListedPrincipal extends Principal {
  readonly enrolledAt: number;
  readonly enrolledBy: string;
}

const listed = ({ enrolled_at, enrolled_by, ...row }: Row): ListedPrincipal => ({
  ...row,
  enrolledAt: Number(enrolled_at),
  enrolledBy: enrolled_by,
});

async function keyOwner({ client }: Transaction, thumbprint: string): Promise<string | null> {
  const { rows } = await client.query<{ principal: string }>(
    'select principal from principal_key where thumbprint = $1',
    [thumbprint],
  );
  return rows[0]?.principal ?? null;
}

/** Ends what depends on a principal that was just disabled; runs in the same transaction. */
export type AfterDisabling = (transaction: Transaction, id: string, by: Actor, at: number) => Promise<void>;

/** The directory of who may prove to be whom. Times are seconds since 1970. */
export class Principals {
  readonly #database: Database;
  readonly #afterDisabling: AfterDisabling;

  constructor(database: Database, afterDisabling: AfterDisabling) {
    this.#database = database;
    this.#afterDisabling = afterDisabling;
  }

  async find(id: string): Promise<ListedPrincipal | null> {
    const rows = await this.#database.query<Row>('select * from principal where id = $1', [id]);
    return rows[0] === undefined ? null : listed(rows[0]);
  }

  /** In the order of their ids, those after `after`. */
  async list(after: string, limit: number): Promise<ListedPrincipal[]> {
    const rows = await this.#database.query<Row>(
      'select * from principal where id > $1 order by id limit $2',
      [after, limit],
    );
    return rows.map(listed);
  }

  /** Enrols a principal; `by` null stands for the configuration. Throws what the rules refuse. */
  async enrol(enrolment: Enrolment, by: Actor | null, at: number): Promise<Principal> {
    const thumbprint = thumbprintOf(enrolment.key);
    return await this.#change(enrolment.id, async (transaction) => ({
      type: 'enrol',
      ...enrolment,
      thumbprint,
      keyOwner: await keyOwner(transaction, thumbprint),
      by,
      at,
    }));
  }

  /** Replaces a principal's key; the old one proves nothing any more from the commit on. */
  async rotate(id: string, key: PublicKey, by: Actor, at: number): Promise<Principal> {
    const thumbprint = thumbprintOf(key);
    return await this.#change(id, async (transaction) => ({
      type: 'rotate',
      key,
      thumbprint,
      keyOwner: await keyOwner(transaction, thumbprint),
      by,
      at,
    }));
  }

  /** Disables a principal, and ends what depends on it, for good. */
  async disable(id: string, by: Actor, at: number): Promise<Principal> {
    return await this.#change(id, async (transaction) => {
      await this.#afterDisabling(transaction, id, by, at);
      return { type: 'disable', by, at };
    });
  }

  async #change(
    id: string,
    command: (transaction: Transaction) => Promise<PrincipalCommand>,
  ): Promise<Principal> {
    return await this.#database.transaction(async (transaction) => {
      const applied = await transaction.apply(principalAggregate, id, await command(transaction));
      if (applied.refusal !== null) throw new CountersignError(applied.refusal);
      if (applied.state === null) throw new CountersignError('auth.principal_unknown');
      return applied.state;
    });
  }
}
