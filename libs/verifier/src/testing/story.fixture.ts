import type { KeyObject } from 'node:crypto';
import { type ApprovalFact, digestOf, digestOfJson, type SessionClaims } from '@countersign/contracts';
import type { LoadedPolicy } from '@countersign/policy-runtime';
import { completedDraft, decidedDraft, describedDraft, factsOf } from './actions.fixture.js';
import { Clock, type StoryLeaf, StoryProducer } from './chain.fixture.js';
import type { Deployment } from './deployment.fixture.js';

/** What happened, as leaves in the log's order, and the epoch keys that signed it. */
export interface Story {
  readonly leaves: readonly StoryLeaf[];
  readonly epochKeys: ReadonlyMap<string, KeyObject>;
}

/**
 * A morning at a shop: reads plain and masked, a refusal, a deletion that a person approves, and a restart of the
 * ingress. Batches of one event and of several, so that signatures point at events and at ranges.
 */
export function tellStory(deployment: Deployment, policy: LoadedPolicy): Story {
  const clock = new Clock();
  const epochKeys = new Map<string, KeyObject>();
  const producer = (service: keyof Deployment['instances']) =>
    new StoryProducer(service, deployment.instances[service], clock, epochKeys);
  const ingress = producer('ingress-proxy');
  const policies = producer('policy');
  const approvals = producer('approval');
  const leaves: StoryLeaf[] = [];
  const tell = (told: readonly StoryLeaf[]) => {
    leaves.push(...told);
  };

  tell(policies.openEpoch('policy opens'));
  tell(
    policies.append([
      {
        name: 'policy activated',
        type: 'countersign.policy.activated.v1',
        origin: 'system',
        data: { policyDigest: policy.policyDigest, bundleDigest: policy.bundleDigest, previous: null },
      },
    ]),
  );
  tell(approvals.openEpoch('approval opens'));
  tell(ingress.openEpoch('ingress opens'));

  const claims = (session: string, role: string): SessionClaims => ({
    session,
    agent: 'agent-7',
    onBehalfOf: 'person-3',
    delegation: [],
    grant: 'grant-5',
    role,
    target: 'shop',
    protocol: 'postgresql',
  });
  const open = (name: string, opened: SessionClaims) =>
    ({
      name,
      type: 'countersign.session.opened.v1',
      data: {
        claims: opened,
        digest: digestOfJson(opened),
        tokenExpiresAt: clock.seconds() + 900,
        transport: 'loopback',
      },
    }) as const;
  const action = (
    ordinal: number,
    session: SessionClaims,
    facts = factsOf(),
    approval: ApprovalFact | null = null,
  ) => ({
    id: clock.id(),
    ordinal,
    claims: session,
    facts,
    approval,
    time: clock.seconds(),
    policy,
  });

  const reader = claims('session-1', 'reader');
  const plain = { name: 'read decided', ...action(0, reader) };
  tell(
    ingress.append([
      open('reader arrives', reader),
      describedDraft('read described', plain.facts),
      decidedDraft(plain),
    ]),
  );
  tell(ingress.append([completedDraft('read completed', plain, 3)]));

  const labels = [{ label: 'contact.email', column: 'shop.customers.email', uses: ['output'] }] as const;
  const masked = { name: 'masked read decided', ...action(1, reader, factsOf({ labels })) };
  tell(ingress.append([describedDraft('masked read described', masked.facts)]));
  tell(ingress.append([decidedDraft(masked)]));
  tell(ingress.append([completedDraft('masked read completed', masked, 12)]));

  const forbidden = {
    name: 'deletion denied',
    ...action(2, reader, factsOf({ kind: 'DeleteStmt', verbs: ['delete'] })),
  };
  tell(ingress.append([describedDraft('deletion described', forbidden.facts), decidedDraft(forbidden)]));

  const operator = claims('session-2', 'operator');
  const purge = factsOf({ kind: 'DeleteStmt', verbs: ['delete'], risks: ['unbounded-write'] });
  const held = { name: 'purge held', ...action(0, operator, purge) };
  tell(
    ingress.append([
      open('operator arrives', operator),
      describedDraft('purge described', purge),
      decidedDraft(held),
    ]),
  );
  const requested = held.time;
  tell(
    approvals.append([
      {
        name: 'approval requested',
        type: 'countersign.approval.requested.v1',
        data: {
          approval: 'approval-1',
          action: held.id,
          session: operator.session,
          agent: operator.agent,
          onBehalfOf: operator.onBehalfOf,
          grant: operator.grant,
          role: operator.role,
          target: operator.target,
          binding: digestOf('binding'),
          policyDigest: policy.policyDigest,
          profile: 'none',
          rules: ['step_up.unbounded-write'],
          expiresAt: requested + 600,
        },
      },
    ]),
  );
  tell(
    approvals.append([
      {
        name: 'approval given',
        type: 'countersign.approval.approved.v1',
        origin: 'person',
        data: {
          approval: 'approval-1',
          approver: 'person-9',
          decidedAt: requested + 60,
          expiresAt: requested + 600,
        },
      },
    ]),
  );
  const approval = {
    id: 'approval-1',
    approver: 'person-9',
    decidedAt: requested + 60,
    expiresAt: requested + 600,
  };
  const approved = { ...held, name: 'purge decided', approval, time: requested + 61 };
  tell(ingress.append([decidedDraft(approved)]));
  tell(
    approvals.append([
      {
        name: 'approval used',
        type: 'countersign.approval.consumed.v1',
        data: { approval: 'approval-1', action: held.id },
      },
    ]),
  );
  tell(ingress.append([completedDraft('purge completed', approved, 250)]));

  tell(ingress.openEpoch('ingress opens again'));
  const late = claims('session-3', 'reader');
  const second = { name: 'late read decided', ...action(0, late) };
  tell(ingress.append([open('reader returns', late), describedDraft('late read described', second.facts)]));
  tell(ingress.append([decidedDraft(second)]));
  tell(ingress.append([completedDraft('late read completed', second, 1)]));
  tell(
    ingress.append([
      {
        name: 'reader leaves',
        type: 'countersign.session.ended.v1',
        data: { session: late.session, reason: 'client', actions: 1 },
      },
    ]),
  );
  return { leaves, epochKeys };
}
