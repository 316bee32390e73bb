import { approvalRpc } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { implement, type ServiceRegistration } from '@countersign/rpc';
import type { Grants } from '../grants/index.js';
import { type Requests, readBinding } from '../requests/index.js';
import type { Changes } from '../storage/index.js';
import type { SigningKeys } from '../tokens/index.js';
import { approvalMessage, grantStatusOf, readAction, readId, readSubmission } from './messages.js';
import { watch } from './watch.js';

/** Longest wait for an answer, milliseconds. */
const longestWait = 30_000;

export interface RpcParts {
  readonly requests: Requests;
  readonly grants: Grants;
  readonly keys: SigningKeys;
  readonly changes: Changes;
  /** Seconds since 1970. */
  readonly now: () => number;
}

/** What the gateway asks of this service. */
export function approvalService({ requests, grants, keys, changes, now }: RpcParts): ServiceRegistration {
  return implement(approvalRpc.ApprovalServiceService, {
    async hold(request) {
      return { approval: approvalMessage(await requests.hold(readSubmission(request))) };
    },
    async await({ approvalId, waitMilliseconds }, { signal }) {
      const id = readId(approvalId, 'approval.unknown');
      const wait = Math.min(waitMilliseconds, longestWait);
      return { approval: approvalMessage(await requests.await(id, wait, signal)) };
    },
    async consume({ approvalId, binding, actionId }) {
      const id = readId(approvalId, 'approval.unknown');
      await requests.consume(id, readBinding(binding), readAction(actionId));
      return {};
    },
    async checkGrant({ grantId }) {
      const grant = await grants.get(readId(grantId, 'grant.unknown'));
      const open = grant.status === 'requested' || grant.status === 'active';
      const status = open && now() >= grant.expiresAt ? 'expired' : grant.status;
      return { status: grantStatusOf[status], expiresAt: BigInt(grant.expiresAt) };
    },
    keys() {
      const { keySet } = keys;
      if (keySet.keys.length === 0) throw new CountersignError('approval.unavailable');
      return { jwks: Buffer.from(JSON.stringify(keySet)) };
    },
    watch: (_request, { signal }) => watch(changes, signal),
  });
}
