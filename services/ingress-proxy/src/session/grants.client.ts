import { approvalRpc } from '@countersign/contracts';
import { CountersignError, type ErrorCode } from '@countersign/errors';
import { answerOf, type GrantPort, type GrantStanding } from '../gate/index.js';

/** The method of libs/rpc's client that is used here. */
export interface GrantRpc {
  checkGrant(request: approvalRpc.CheckGrantRequest): Promise<approvalRpc.CheckGrantResponse>;
}

const refusals = new Map<approvalRpc.GrantStatus, ErrorCode>([
  [approvalRpc.GrantStatus.GRANT_STATUS_REQUESTED, 'grant.not_active'],
  [approvalRpc.GrantStatus.GRANT_STATUS_REVOKED, 'grant.revoked'],
  [approvalRpc.GrantStatus.GRANT_STATUS_EXPIRED, 'grant.expired'],
]);

/**
 * Whether a session's grant still holds. One check at the session's start is enough while the stream of ended grants
 * is unbroken; after a break each session is checked once more, and during one at each action.
 */
export class GrantWatch implements GrantPort {
  readonly #rpc: GrantRpc;
  readonly #now: () => number;
  readonly #standings = new Map<string, Set<GrantStanding>>();
  /** Counts unbroken stretches of the stream; odd while it stands. */
  #generation = 0;

  /** @param now milliseconds since 1970 */
  constructor(rpc: GrantRpc, now: () => number) {
    this.#rpc = rpc;
    this.#now = now;
  }

  get live(): boolean {
    return this.#generation % 2 === 1;
  }

  onReady(): void {
    if (!this.live) this.#generation += 1;
  }

  onBroken(): void {
    if (this.live) this.#generation += 1;
  }

  /** The next action of each session under this grant asks anew, and hears why. */
  onEnded(grant: string): void {
    for (const standing of this.#standings.get(grant) ?? []) standing.checkedIn = -1;
  }

  /** Checks a grant for a new session. Throws grant.* or approval.unavailable. */
  async open(grant: string): Promise<GrantStanding> {
    const standing: GrantStanding = { checkedIn: -1, expiresAt: 0 };
    // Registered before it is asked for: what ends while the question is under way is not missed.
    const standings = this.#standings.get(grant) ?? new Set();
    this.#standings.set(grant, standings.add(standing));
    try {
      await this.#ask(grant, standing);
      return standing;
    } catch (thrown) {
      this.close(grant, standing);
      throw thrown;
    }
  }

  close(grant: string, standing: GrantStanding): void {
    const standings = this.#standings.get(grant);
    standings?.delete(standing);
    if (standings?.size === 0) this.#standings.delete(grant);
  }

  check(grant: string, standing: GrantStanding): void | Promise<void> {
    if (this.live && standing.checkedIn === this.#generation) {
      if (standing.expiresAt * 1000 <= this.#now()) throw new CountersignError('grant.expired');
      return;
    }
    return this.#ask(grant, standing);
  }

  async #ask(grant: string, standing: GrantStanding): Promise<void> {
    const generation = this.#generation;
    // An end that arrives while the question is under way sets this back to -1, and the answer does not hide it.
    standing.checkedIn = generation;
    try {
      const { status, expiresAt } = await this.#rpc
        .checkGrant({ grantId: grant })
        .catch((thrown: unknown) => {
          throw answerOf(thrown, ['grant.'], 'approval.unavailable');
        });
      if (status !== approvalRpc.GrantStatus.GRANT_STATUS_ACTIVE) {
        throw new CountersignError(refusals.get(status) ?? 'grant.unknown');
      }
      standing.expiresAt = Number(expiresAt);
      if (standing.expiresAt * 1000 <= this.#now()) throw new CountersignError('grant.expired');
    } catch (thrown) {
      standing.checkedIn = -1;
      throw thrown;
    }
  }
}
