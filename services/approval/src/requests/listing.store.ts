import { type Actor, holds } from '../aggregate/index.js';
import type { Database } from '../storage/index.js';
import type { ApprovalStatus } from './approval.js';

export interface ListedApproval {
  readonly id: string;
  readonly status: ApprovalStatus;
  readonly agent: string;
  readonly onBehalfOf: string;
  readonly target: string;
  readonly role: string;
  readonly grant: string;
  readonly profile: string;
  readonly policyDigest: string;
  readonly action: string;
  readonly session: string;
  readonly facts: unknown;
  readonly reason: string;
  readonly rules: readonly string[];
  readonly requestedAt: number;
  readonly expiresAt: number;
  readonly decidedAt: number | null;
  readonly approver: string | null;
}

interface Row {
  readonly id: string;
  readonly position: string;
  readonly status: ApprovalStatus;
  readonly agent: string;
  readonly on_behalf_of: string;
  readonly target: string;
  readonly role: string;
  readonly access_grant: string;
  readonly profile: string;
  readonly policy_digest: string;
  readonly action: string;
  readonly session: string;
  readonly facts: unknown;
  readonly reason: string;
  readonly rules: string[];
  readonly requested_at: string;
  readonly expires_at: string;
  readonly decided_at: string | null;
  readonly approver: string | null;
}

const listed = (row: Row): ListedApproval => ({
  id: row.id,
  status: row.status,
  agent: row.agent,
  onBehalfOf: row.on_behalf_of,
  target: row.target,
  role: row.role,
  grant: row.access_grant,
  profile: row.profile,
  policyDigest: row.policy_digest,
  action: row.action,
  session: row.session,
  facts: row.facts,
  reason: row.reason,
  rules: row.rules,
  requestedAt: Number(row.requested_at),
  expiresAt: Number(row.expires_at),
  decidedAt: row.decided_at === null ? null : Number(row.decided_at),
  approver: row.approver,
});

export interface ApprovalFilter {
  readonly status?: ApprovalStatus | undefined;
  /** Only approvals before this position, newest first; null from the newest. */
  readonly before: string | null;
  readonly limit: number;
}

/** Who sees an approval: who holds a role, and who is party to it. The statement is another matter. */
const visible = '($1 or $2 in (agent, on_behalf_of))';
const seesEverything = (actor: Actor) => holds(actor, 'administrator', 'approver', 'auditor');

/** Approvals as lists and pages show them; no statement is in here. */
export class Listing {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Null for one that does not exist, or that the actor may not see. */
  async find(actor: Actor, id: string): Promise<ListedApproval | null> {
    const rows = await this.#database.query<Row>(`select * from approval where ${visible} and id = $3`, [
      seesEverything(actor),
      actor.id,
      id,
    ]);
    return rows[0] === undefined ? null : listed(rows[0]);
  }

  /** Newest first, with the position at which the next page begins. */
  async list(
    actor: Actor,
    filter: ApprovalFilter,
  ): Promise<{ approvals: ListedApproval[]; next: string | null }> {
    const rows = await this.#database.query<Row>(
      `select * from approval
       where ${visible} and ($3::text is null or status = $3) and ($4::bigint is null or position < $4)
       order by position desc limit $5`,
      [seesEverything(actor), actor.id, filter.status ?? null, filter.before, filter.limit + 1],
    );
    const page = rows.slice(0, filter.limit);
    return {
      approvals: page.map(listed),
      next: rows.length > filter.limit ? (page.at(-1)?.position ?? null) : null,
    };
  }
}
