import { canonicalJson, commitmentOf } from '@countersign/contracts';
import type { Aggregate } from '../storage/index.js';
import {
  type ApprovalCommand,
  type ApprovalHappening,
  type ApprovalState,
  approvalRules,
} from './approval.js';

export const approvalAggregate: Aggregate<ApprovalState, ApprovalCommand, ApprovalHappening> = {
  category: 'approval',
  rules: approvalRules,
  publish(approval, _state, happening) {
    switch (happening.type) {
      case 'requested': {
        const { action, session, binding, salt, rules, expiresAt } = happening;
        const { agent, onBehalfOf, grant, role, target, policyDigest, profile } = binding;
        const commitment = commitmentOf(Buffer.from(salt, 'hex'), canonicalJson(binding));
        return {
          type: 'countersign.approval.requested.v1',
          data: {
            ...{ approval, action, session, agent, onBehalfOf, grant, role, target },
            ...{ binding: commitment, policyDigest, profile, rules, expiresAt },
          },
          origin: 'agent',
        };
      }
      case 'approved': {
        const { approver, at, expiresAt } = happening;
        const data = { approval, approver, decidedAt: at, expiresAt };
        return { type: 'countersign.approval.approved.v1', data, origin: 'person' };
      }
      case 'denied': {
        const data = { approval, approver: happening.approver, decidedAt: happening.at };
        return { type: 'countersign.approval.denied.v1', data, origin: 'person' };
      }
      case 'expired':
        return { type: 'countersign.approval.expired.v1', data: { approval }, origin: 'system' };
      case 'consumed': {
        const data = { approval, action: happening.action };
        return { type: 'countersign.approval.consumed.v1', data, origin: 'agent' };
      }
    }
  },
  async project(transaction, id, state, happening) {
    if (state === null) return;
    const { client } = transaction;
    if (happening.type === 'requested') {
      const { binding } = happening;
      await client.query(
        `insert into approval (id, binding_digest, status, agent, on_behalf_of, target, role, access_grant, profile,
           policy_digest, action, session, facts, reason, rules, requested_at, expires_at)
         values ($1, $2, 'pending', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
        [
          ...[id, state.bindingDigest, binding.agent, binding.onBehalfOf, binding.target, binding.role],
          ...[binding.grant, binding.profile, binding.policyDigest, happening.action, happening.session],
          ...[happening.facts, happening.reason, happening.rules, happening.at, happening.expiresAt],
        ],
      );
    } else {
      const ended = state.status === 'approved' ? null : happening.at;
      await client.query(
        `update approval set status = $2, expires_at = $3, decided_at = $4, approver = $5, ended_at = $6 where id = $1`,
        [id, state.status, state.expiresAt, state.decidedAt, state.approver, ended],
      );
    }
    await transaction.announce({ kind: 'approval', id });
  },
};
