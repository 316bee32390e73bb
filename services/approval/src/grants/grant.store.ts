import type { GrantTerms } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { v7 as newId } from 'uuid';
import { type Actor, holds } from '../aggregate/index.js';
import type { Aggregate, Database, Transaction } from '../storage/index.js';
import {
  type GrantCommand,
  type GrantHappening,
  type GrantState,
  type GrantStatus,
  grantRules,
} from './grant.js';

const statusOf = {
  requested: 'requested',
  activated: 'active',
  revoked: 'revoked',
  expired: 'expired',
} as const;

export const grantAggregate: Aggregate<GrantState, GrantCommand, GrantHappening> = {
  category: 'grant',
  rules: grantRules,
  publish(grant, state, happening) {
    const agent = state?.terms.agent ?? '';
    const target = state?.terms.target ?? '';
    switch (happening.type) {
      case 'requested': {
        const { by, terms } = happening;
        const origin = by === agent ? 'agent' : 'person';
        return { type: 'countersign.grant.requested.v1', data: { grant, by, ...terms }, origin };
      }
      case 'activated':
        return {
          type: 'countersign.grant.activated.v1',
          data: { grant, by: happening.by, agent, target },
          origin: 'person',
        };
      case 'revoked':
        return {
          type: 'countersign.grant.revoked.v1',
          data: { grant, by: happening.by, agent, target },
          origin: happening.by === agent ? 'agent' : 'person',
        };
      case 'expired':
        return { type: 'countersign.grant.expired.v1', data: { grant, agent, target }, origin: 'system' };
    }
  },
  async project(transaction, id, _state, happening) {
    const { client } = transaction;
    if (happening.type === 'requested') {
      const { agent, onBehalfOf, target, role, expiresAt } = happening.terms;
      await client.query(
        `insert into access_grant (id, status, agent, on_behalf_of, target, role, expires_at, requested_at, requested_by)
         values ($1, 'requested', $2, $3, $4, $5, $6, $7, $8)`,
        [id, agent, onBehalfOf, target, role, expiresAt, happening.at, happening.by],
      );
      return;
    }
    const by = happening.type === 'expired' ? null : happening.by;
    await client.query(
      'update access_grant set status = $2, decided_at = $3, decided_by = $4 where id = $1',
      [id, statusOf[happening.type], happening.at, by],
    );
    if (happening.type !== 'activated') await transaction.announce({ kind: 'grant-ended', id });
  },
};

export interface ListedGrant extends GrantTerms {
  readonly id: string;
  readonly status: GrantStatus;
  readonly requestedAt: number;
  readonly requestedBy: string;
  /** When, and by whom, it was activated or revoked; null before. */
  readonly decidedAt: number | null;
  readonly decidedBy: string | null;
}

interface Row {
  readonly id: string;
  readonly position: string;
  readonly status: GrantStatus;
  readonly agent: string;
  readonly on_behalf_of: string;
  readonly target: string;
  readonly role: string;
  readonly expires_at: string;
  readonly requested_at: string;
  readonly requested_by: string;
  readonly decided_at: string | null;
  readonly decided_by: string | null;
}

const listed = (row: Row): ListedGrant => ({
  id: row.id,
  status: row.status,
  agent: row.agent,
  onBehalfOf: row.on_behalf_of,
  target: row.target,
  role: row.role,
  expiresAt: Number(row.expires_at),
  requestedAt: Number(row.requested_at),
  requestedBy: row.requested_by,
  decidedAt: row.decided_at === null ? null : Number(row.decided_at),
  decidedBy: row.decided_by,
});

export interface GrantFilter {
  readonly status?: GrantStatus | undefined;
  /** Only grants before this position, newest first; null from the newest. */
  readonly before: string | null;
  readonly limit: number;
}

/** Most grants that one sweep ends in one transaction. */
const sweepSize = 100;

/** Grants as the API and the gateway use them. Times are seconds since 1970. */
export class Grants {
  readonly #database: Database;
  /** Longest life of a grant, seconds. */
  readonly #longest: number;

  constructor(database: Database, longest: number) {
    this.#database = database;
    this.#longest = longest;
  }

  /** Asks for a grant. Throws what the rules refuse, request.invalid where a party is not enrolled. */
  async request(terms: GrantTerms, by: Actor, at: number): Promise<ListedGrant> {
    const id = newId();
    await this.#database.transaction(async (transaction) => {
      const { rows } = await transaction.client.query<{ id: string }>(
        "select id from principal where id = any($1) and status = 'enrolled'",
        [[terms.agent, terms.onBehalfOf]],
      );
      if (rows.length !== 2) {
        throw new CountersignError('request.invalid', {
          detail: 'agent and onBehalfOf must be an enrolled agent and an enrolled person.',
        });
      }
      await this.#apply(transaction, id, { type: 'request', id, terms, longest: this.#longest, by, at });
    });
    return await this.get(id);
  }

  async activate(id: string, by: Actor, at: number): Promise<ListedGrant> {
    return await this.#change(id, { type: 'activate', by, at });
  }

  async revoke(id: string, by: Actor, at: number): Promise<ListedGrant> {
    return await this.#change(id, { type: 'revoke', by, at });
  }

  async find(id: string): Promise<ListedGrant | null> {
    const rows = await this.#database.query<Row>('select * from access_grant where id = $1', [id]);
    return rows[0] === undefined ? null : listed(rows[0]);
  }

  /** Throws grant.unknown. */
  async get(id: string): Promise<ListedGrant> {
    const grant = await this.find(id);
    if (grant === null) throw new CountersignError('grant.unknown');
    return grant;
  }

  /** Grants that somebody may see, newest first: all for who holds a role, else those that they are party to. */
  async list(actor: Actor, filter: GrantFilter): Promise<{ grants: ListedGrant[]; next: string | null }> {
    const everything = holds(actor, 'administrator', 'approver', 'auditor');
    const rows = await this.#database.query<Row>(
      `select * from access_grant
       where ($1::text is null or status = $1) and ($2::bigint is null or position < $2)
         and ($3 or $4 in (agent, on_behalf_of, requested_by))
       order by position desc limit $5`,
      [filter.status ?? null, filter.before, everything, actor.id, filter.limit + 1],
    );
    const page = rows.slice(0, filter.limit);
    return {
      grants: page.map(listed),
      next: rows.length > filter.limit ? (page.at(-1)?.position ?? null) : null,
    };
  }

  /** Ends the grants whose time is over. */
  async sweep(at: number): Promise<void> {
    const rows = await this.#database.query<{ id: string }>(
      "select id from access_grant where status in ('requested', 'active') and expires_at <= $1 limit $2",
      [at, sweepSize],
    );
    for (const { id } of rows) await this.#settle(id, { type: 'expire', at });
  }

  /** Revokes every open grant of an agent, or on behalf of a person, that was disabled. */
  async revokeAllOf(transaction: Transaction, principal: string, by: Actor, at: number): Promise<void> {
    const { rows } = await transaction.client.query<{ id: string }>(
      `select id from access_grant
       where status in ('requested', 'active') and $1 in (agent, on_behalf_of) order by id`,
      [principal],
    );
    for (const { id } of rows) await this.#apply(transaction, id, { type: 'revoke', by, at });
  }

  async #change(id: string, command: GrantCommand): Promise<ListedGrant> {
    await this.#settle(id, command);
    return await this.get(id);
  }

  /** A refusal is thrown after the commit, so that an expiry found on the way is kept. */
  async #settle(id: string, command: GrantCommand): Promise<void> {
    const { refusal } = await this.#database.transaction(
      async (transaction) => await transaction.apply(grantAggregate, id, command),
    );
    if (refusal !== null) throw new CountersignError(refusal);
  }

  async #apply(transaction: Transaction, id: string, command: GrantCommand): Promise<void> {
    const { refusal } = await transaction.apply(grantAggregate, id, command);
    if (refusal !== null) throw new CountersignError(refusal);
  }
}
