import { randomUUID } from 'node:crypto';
import { approvalRpc } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { implement, type ServiceRegistration } from '@countersign/rpc';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { Broadcast } from './broadcast.js';

const { ApprovalStatus, GrantStatus } = approvalRpc;

interface Kept {
  approval: approvalRpc.Approval;
  readonly binding: string;
  readonly statement: string;
  readonly parameters: readonly approvalRpc.Parameter[];
}

export const ISSUER = 'countersign-approval-of-the-test';

/** Holds, grants and keys in memory, over the real protocol. */
export class FakeApproval {
  readonly watchers = new Broadcast<approvalRpc.WatchResponse>();
  readonly approvals: Kept[] = [];
  readonly grants = new Map<string, approvalRpc.GrantStatus>();
  readonly calls = { checkGrant: 0, hold: 0, consume: 0 };
  readonly #key = generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  readonly #waiting = new Set<() => void>();

  get registration(): ServiceRegistration {
    return implement(approvalRpc.ApprovalServiceService, {
      hold: ({ binding, statement, parameters }) => {
        this.calls.hold += 1;
        const text = binding.toString();
        const { APPROVAL_STATUS_PENDING, APPROVAL_STATUS_APPROVED } = ApprovalStatus;
        const open = this.approvals.find(
          (kept) =>
            kept.binding === text &&
            [APPROVAL_STATUS_PENDING, APPROVAL_STATUS_APPROVED].includes(kept.approval.status),
        );
        if (open !== undefined) return { approval: open.approval };
        const approval: approvalRpc.Approval = {
          id: randomUUID(),
          status: APPROVAL_STATUS_PENDING,
          approver: '',
          expiresAt: BigInt(Math.floor(Date.now() / 1000) + 600),
          decidedAt: 0n,
        };
        this.approvals.push({ approval, binding: text, statement, parameters });
        return { approval };
      },
      await: async ({ approvalId, waitMilliseconds }) => {
        const kept = this.#kept(approvalId);
        if (kept.approval.status === ApprovalStatus.APPROVAL_STATUS_PENDING)
          await this.#wait(waitMilliseconds);
        return { approval: this.#kept(approvalId).approval };
      },
      consume: ({ approvalId, binding }) => {
        this.calls.consume += 1;
        const kept = this.#kept(approvalId);
        if (kept.binding !== binding.toString()) throw new CountersignError('approval.other_action');
        if (kept.approval.status !== ApprovalStatus.APPROVAL_STATUS_APPROVED) {
          throw new CountersignError('approval.already_used');
        }
        kept.approval = { ...kept.approval, status: ApprovalStatus.APPROVAL_STATUS_CONSUMED };
        return {};
      },
      checkGrant: ({ grantId }) => {
        this.calls.checkGrant += 1;
        return {
          status: this.grants.get(grantId) ?? GrantStatus.GRANT_STATUS_UNSPECIFIED,
          expiresAt: BigInt(Math.floor(Date.now() / 1000) + 3600),
        };
      },
      keys: async () => {
        const { publicKey } = await this.#key;
        const jwk = { ...(await exportJWK(publicKey)), kid: 'test', alg: 'EdDSA', use: 'sig' };
        return { jwks: Buffer.from(JSON.stringify({ keys: [jwk] })) };
      },
      watch: (_request, { signal }) =>
        this.watchers.subscribe([{ change: { $case: 'ready', value: true } }], signal),
    });
  }

  answer(id: string, status: 'approved' | 'denied'): void {
    const kept = this.#kept(id);
    kept.approval = {
      ...kept.approval,
      status:
        status === 'approved'
          ? ApprovalStatus.APPROVAL_STATUS_APPROVED
          : ApprovalStatus.APPROVAL_STATUS_DENIED,
      approver: 'person-2',
      decidedAt: BigInt(Math.floor(Date.now() / 1000)),
    };
    for (const wake of this.#waiting) wake();
  }

  endGrant(id: string): void {
    this.grants.set(id, GrantStatus.GRANT_STATUS_REVOKED);
    this.watchers.send({ change: { $case: 'grantEnded', value: id } });
  }

  /** A token as the approval service makes them; what is given replaces claims, undefined removes them. */
  async token(claims: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const payload = {
      iss: ISSUER,
      sub: 'agent-1',
      kind: 'agent',
      aud: 'shop',
      iat: now,
      exp: now + 600,
      jti: randomUUID(),
      grant: 'grant-1',
      role: 'analyst',
      on_behalf_of: 'person-1',
      act: { sub: 'agent-1' },
      ...claims,
    };
    const { privateKey } = await this.#key;
    return new SignJWT(payload).setProtectedHeader({ alg: 'EdDSA', kid: 'test' }).sign(privateKey);
  }

  #kept(id: string): Kept {
    const kept = this.approvals.find(({ approval }) => approval.id === id);
    if (kept === undefined) throw new CountersignError('approval.unknown');
    return kept;
  }

  async #wait(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    this.#waiting.add(resolve);
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(resolve);
  }
}
