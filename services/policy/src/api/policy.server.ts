import { policyRpc } from '@countersign/contracts';
import { implement, type ServiceRegistration } from '@countersign/rpc';
import type { Decided, Decider } from '../decide/index.js';
import type { Announcements } from './announcements.js';

export interface PolicyApiParts {
  readonly decider: Decider;
  /** Digests of the active policy. */
  readonly announcements: Announcements<string>;
  /** Aborted when the service stops: it ends the streams. */
  readonly signal: AbortSignal;
  onDecided?(decided: Decided): void;
}

/** PolicyService (proto/countersign/policy/v1) over the decider. */
export function policyApi(parts: PolicyApiParts): ServiceRegistration {
  return implement(policyRpc.PolicyServiceService, {
    decide({ input }) {
      const decided = parts.decider.decide(input);
      parts.onDecided?.(decided);
      const { decision, inputDigest, policyDigest } = decided;
      return { decision, inputDigest, policyDigest };
    },
    async *watch(_request, { signal }) {
      const either = AbortSignal.any([signal, parts.signal]);
      for await (const policyDigest of parts.announcements.follow(either)) yield { policyDigest };
    },
  });
}
