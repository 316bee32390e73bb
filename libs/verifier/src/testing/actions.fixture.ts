import {
  type ActionCompleted,
  type ActionDecided,
  type ApprovalFact,
  digestOf,
  digestOfJson,
  type Facts,
  type PolicyInput,
  type SessionClaims,
} from '@countersign/contracts';
import type { LoadedPolicy } from '@countersign/policy-runtime';
import type { NamedDraft } from './chain.fixture.js';

/** Facts of a read; other facts differ from it in some fields. */
export function factsOf(difference: Partial<Facts> = {}): Facts {
  return {
    version: 1,
    protocol: 'postgresql',
    statements: 1,
    kind: 'SelectStmt',
    transaction: null,
    verbs: ['read'],
    risks: [],
    objects: [{ name: 'shop.products', kind: 'table', verbs: ['read'] }],
    unknownObjects: 0,
    labels: [],
    parameters: { count: 0 },
    ...difference,
  };
}

export interface ActionStory {
  readonly name: string;
  readonly id: string;
  readonly ordinal: number;
  readonly claims: SessionClaims;
  readonly facts: Facts;
  readonly approval: ApprovalFact | null;
  readonly time: number;
  readonly policy: LoadedPolicy;
}

/** The real decision of the real policy, as the ingress records it. */
export function decidedDraft({
  name,
  id,
  ordinal,
  claims,
  facts,
  approval,
  time,
  policy,
}: ActionStory): NamedDraft {
  const input: PolicyInput = { version: 1, time, session: claims, facts, approval };
  const decision = policy.decide(input);
  const runs = decision.verdict === 'allow' || decision.verdict === 'modify';
  const data: ActionDecided = {
    action: id,
    session: claims.session,
    ordinal,
    target: claims.target,
    agent: claims.agent,
    onBehalfOf: claims.onBehalfOf,
    role: claims.role,
    grant: claims.grant,
    transaction: null,
    verbs: facts.verbs,
    objects: facts.objects.map((object) => object.name),
    labels: [...new Set(facts.labels.map(({ label }) => label))].sort(),
    risks: facts.risks,
    verdict: decision.verdict,
    stage: 'policy',
    refusal: decision.verdict === 'deny' ? 'policy.denied' : null,
    decision,
    policyDigest: policy.policyDigest,
    inputDigest: digestOfJson(input),
    factsDigest: digestOfJson(facts),
    sessionDigest: digestOfJson(claims),
    decidedAt: time,
    approval,
    submitted: digestOf(`submitted ${id}`),
    running: runs ? digestOf(`running ${id}`) : null,
  };
  return { name, type: 'countersign.action.decided.v1', correlationid: claims.session, data };
}

export function describedDraft(name: string, facts: Facts): NamedDraft {
  return { name, type: 'countersign.facts.described.v1', data: { digest: digestOfJson(facts), facts } };
}

export function completedDraft(name: string, { id, ordinal, claims }: ActionStory, rows: number): NamedDraft {
  const data: ActionCompleted = {
    action: id,
    session: claims.session,
    ordinal,
    transaction: null,
    status: 'succeeded',
    error: null,
    sqlstate: null,
    rows,
    bytes: rows * 100,
    released: digestOf(`released ${id}`),
    durationMicroseconds: 1500,
  };
  return { name, type: 'countersign.action.completed.v1', correlationid: claims.session, data };
}
