import { randomBytes } from 'node:crypto';
import { CountersignError, type ErrorCode } from '@countersign/errors';
import { v7 as newId } from 'uuid';
import type { Actor } from '../aggregate/index.js';
import { grantAggregate, refusalToUse } from '../grants/index.js';
import type { Changes, Database, Outbox, Transaction } from '../storage/index.js';
import { type Approval, refusalToJudge } from './approval.js';
import { approvalAggregate } from './approval.store.js';
import type { ReadBinding } from './binding.js';
import type { Content } from './content.js';
import type { Contents } from './contents.store.js';

/** Periods of an approval, seconds. */
export interface Periods {
  /** To be answered. */
  readonly pending: number;
  /** To be used once approved. */
  readonly usable: number;
  /** In which a denial that the gateway was not told of yet answers the same action. */
  readonly denial: number;
}

export interface Submission {
  readonly binding: ReadBinding;
  readonly content: Content;
  readonly facts: string;
  readonly action: string;
  readonly session: string;
  readonly reason: string;
  readonly rules: readonly string[];
}

export interface RequestsOptions {
  readonly database: Database;
  readonly changes: Changes;
  readonly outbox: Outbox;
  readonly contents: Contents;
  readonly periods: Periods;
  /** Longest wait for the event log, milliseconds. */
  readonly recordingMilliseconds: number;
  /** Seconds since 1970. */
  readonly now: () => number;
}

const stream = (id: string) => `approval/${id}`;
/** Most approvals that one sweep ends. */
const sweepSize = 100;

/** Holding, answering and using approvals. */
export class Requests {
  readonly #options: RequestsOptions;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /**
   * The open approval for exactly this action, or a new one. A denial that came while nobody waited is told once instead:
   * otherwise an agent that asks again would never learn of it. Throws the grant.… code of a grant that does not hold.
   */
  async hold(submission: Submission): Promise<Approval> {
    const { database, contents, periods, now } = this.#options;
    const { binding, digest } = submission.binding;
    return await database.transaction(async (transaction) => {
      await transaction.lock(`binding/${digest}`);
      const at = now();
      await this.#requireGrant(transaction, submission.binding, at);
      const known = await this.#standing(transaction, digest, at);
      if (known !== null) return known;
      const id = newId();
      const { state, refusal } = await transaction.apply(approvalAggregate, id, {
        type: 'request',
        ...{ id, binding, bindingDigest: digest, salt: randomBytes(16).toString('hex') },
        ...{ action: submission.action, session: submission.session, facts: submission.facts },
        ...{ reason: submission.reason, rules: submission.rules },
        ...{ expiresAt: at + periods.pending, at },
      });
      if (refusal !== null || state === null) throw new CountersignError(refusal ?? 'internal');
      await contents.keep(transaction, id, submission.content);
      return state;
    });
  }

  /** The approval that answers a binding now; null if a new one is due. */
  async #standing(transaction: Transaction, digest: string, at: number): Promise<Approval | null> {
    const { rows } = await transaction.client.query<{ id: string; told: boolean }>(
      'select id, told from approval where binding_digest = $1 order by position desc limit 1',
      [digest],
    );
    const [known] = rows;
    if (known === undefined) return null;
    const { state } = await transaction.apply(approvalAggregate, known.id, { type: 'expire', at });
    if (state?.status === 'pending' || state?.status === 'approved') return state;
    if (state?.status !== 'denied' || known.told) return null;
    await this.#markTold(transaction, known.id);
    return at < (state.decidedAt ?? 0) + this.#options.periods.denial ? state : null;
  }

  async #markTold({ client }: Transaction, id: string): Promise<void> {
    await client.query('update approval set told = true where id = $1', [id]);
  }

  async #requireGrant(transaction: Transaction, { binding }: ReadBinding, at: number): Promise<void> {
    const grant = await transaction.load(grantAggregate, binding.grant);
    const refusal = refusalToUse(grant, at);
    if (refusal !== null) throw new CountersignError(refusal);
    const agrees = (['agent', 'onBehalfOf', 'target', 'role'] as const).every(
      (term) => grant?.terms[term] === binding[term],
    );
    if (!agrees) {
      throw new CountersignError('request.invalid', { detail: 'binding: does not agree with its grant.' });
    }
  }

  /** The approval as soon as it is answered or has ended, or as it is when the wait is over. */
  async await(id: string, milliseconds: number, signal: AbortSignal): Promise<Approval> {
    const { changes } = this.#options;
    const deadline = performance.now() + milliseconds;
    for (;;) {
      const change = new AbortController();
      const wake = () => change.abort();
      const listener = (heard: { kind: string; id?: string }) => {
        if (heard.kind === 'approval' && heard.id === id) wake();
      };
      changes.on('change', listener);
      changes.on('broken', wake);
      signal.addEventListener('abort', wake);
      const timer = setTimeout(wake, Math.max(0, deadline - performance.now()));
      try {
        const approval = await this.#current(id);
        if (approval.status !== 'pending' || performance.now() >= deadline || signal.aborted) return approval;
        if (!change.signal.aborted) {
          await new Promise<void>((resolve) => change.signal.addEventListener('abort', () => resolve()));
        }
      } finally {
        clearTimeout(timer);
        changes.off('change', listener);
        changes.off('broken', wake);
        signal.removeEventListener('abort', wake);
      }
    }
  }

  async #current(id: string): Promise<Approval> {
    const { database, now } = this.#options;
    return await database.transaction(async (transaction) => {
      const approval = await transaction.load(approvalAggregate, id);
      if (approval === null) throw new CountersignError('approval.unknown');
      const overdue = now() >= approval.expiresAt;
      const open = approval.status === 'pending' || approval.status === 'approved';
      if (approval.status === 'denied') await this.#markTold(transaction, id);
      return overdue && open ? { ...approval, status: 'expired' } : approval;
    });
  }

  /**
   * Uses an approval for an action. Resolves only once the answer and the use are durable in the event log; whoever gets an
   * error must not run the action. The wait before using it keeps an approval usable through a failure of the event log; one
   * that fails between use and acknowledgement is spent: at most once goes before at least once.
   */
  async consume(id: string, binding: ReadBinding, action: string): Promise<void> {
    const { database, outbox, recordingMilliseconds, now } = this.#options;
    const deadline = performance.now() + recordingMilliseconds;
    await outbox.published(stream(id), recordingMilliseconds);
    const refusal = await database.transaction(async (transaction) => {
      await this.#requireGrant(transaction, binding, now());
      const command = { type: 'consume', bindingDigest: binding.digest, action, at: now() } as const;
      return (await transaction.apply(approvalAggregate, id, command)).refusal;
    });
    if (refusal !== null) throw new CountersignError(refusal);
    await outbox.published(stream(id), Math.max(0, deadline - performance.now()));
  }

  async answer(id: string, verdict: 'approve' | 'deny', by: Actor): Promise<Approval> {
    const { database, periods, now } = this.#options;
    const { state, refusal } = await database.transaction(async (transaction) => {
      const command = { type: verdict, by, at: now(), usable: periods.usable } as const;
      const applied = await transaction.apply(approvalAggregate, id, command);
      if (applied.refusal !== null && applied.state !== null) {
        await this.#recordRefusal(transaction, id, by, applied.refusal);
      }
      return applied;
    });
    if (refusal !== null) throw new CountersignError(refusal);
    if (state === null) throw new CountersignError('internal');
    return state;
  }

  /** An attempt to answer by somebody who may not is an event, though nothing happened to the approval. */
  async #recordRefusal(
    transaction: Transaction,
    approval: string,
    by: Actor,
    code: ErrorCode,
  ): Promise<void> {
    await transaction.publish({
      type: 'countersign.approval.refused.v1',
      data: { approval, principal: by.id, kind: by.kind, code },
      origin: by.kind,
    });
  }

  /** The exact statement, for an eligible approver; each look is an event, recorded before it is shown. */
  async statement(id: string, by: Actor): Promise<Content> {
    const { database, contents } = this.#options;
    return await database.transaction(async (transaction) => {
      const approval = await transaction.load(approvalAggregate, id);
      if (approval === null) throw new CountersignError('approval.unknown');
      const refusal = refusalToJudge(by, approval.binding);
      if (refusal !== null) throw new CountersignError(refusal);
      const content = await contents.open(transaction, id);
      if (content === null) throw new CountersignError('approval.content_erased');
      await transaction.publish({
        type: 'countersign.approval.shown.v1',
        data: { approval: id, principal: by.id },
        origin: 'person',
      });
      return content;
    });
  }

  /** Ends the approvals whose time is over. */
  async sweep(): Promise<void> {
    const { database, now } = this.#options;
    const at = now();
    const rows = await database.query<{ id: string }>(
      "select id from approval where status in ('pending', 'approved') and expires_at <= $1 limit $2",
      [at, sweepSize],
    );
    for (const { id } of rows) {
      await database.transaction(
        async (transaction) => await transaction.apply(approvalAggregate, id, { type: 'expire', at }),
      );
    }
  }
}
