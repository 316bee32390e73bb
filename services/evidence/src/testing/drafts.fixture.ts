import { type Decision, digestOfJson, type Facts, type SessionClaims } from '@countersign/contracts';
import type { EventDraft } from '@countersign/ledger';

const facts: Facts = {
  version: 1,
  protocol: 'postgresql',
  statements: 1,
  kind: 'SelectStmt',
  transaction: null,
  verbs: ['read'],
  risks: [],
  objects: [{ name: 'shop.customers', kind: 'table', verbs: ['read'] }],
  unknownObjects: 0,
  labels: [{ label: 'contact.email', column: 'shop.customers.email', uses: ['output'] }],
  parameters: { count: 0 },
};

const decision: Decision = {
  verdict: 'modify',
  rules: ['role.reader.read'],
  reason: 'A reader reads masked.',
  obligations: { profile: 'strict', lookups: [], rowLimit: null, timeLimitSeconds: null },
};

const commitment = `sha256:${'0'.repeat(64)}`;

/** The events of one session in which so many masked reads ran, each with its outcome. */
export function sessionDrafts(session: string, actions: number, target = 'shop'): EventDraft[] {
  const claims: SessionClaims = {
    session,
    agent: 'agent-1',
    onBehalfOf: 'person-requester',
    delegation: ['agent-1'],
    grant: 'grant-1',
    role: 'reader',
    target,
    protocol: 'postgresql',
  };
  const digest = digestOfJson(claims);
  const opened: EventDraft = {
    type: 'countersign.session.opened.v1',
    data: { claims, digest, tokenExpiresAt: 4102444800, transport: 'loopback' },
  };
  const ran = Array.from({ length: actions }, (_, ordinal) => actionDrafts(claims, digest, ordinal));
  return [opened, ...ran.flat()];
}

function actionDrafts(claims: SessionClaims, sessionDigest: string, ordinal: number): EventDraft[] {
  const action = `${claims.session}-${ordinal}`;
  const { session, agent, onBehalfOf, role, grant, target } = claims;
  return [
    {
      type: 'countersign.action.decided.v1',
      data: {
        action,
        session,
        ordinal,
        target,
        agent,
        onBehalfOf,
        role,
        grant,
        transaction: null,
        verbs: ['read'],
        objects: ['shop.customers'],
        labels: ['contact.email'],
        risks: [],
        verdict: 'modify',
        stage: 'policy',
        refusal: null,
        decision,
        policyDigest: `sha256:${'b'.repeat(64)}`,
        inputDigest: `sha256:${'c'.repeat(64)}`,
        factsDigest: digestOfJson(facts),
        sessionDigest,
        decidedAt: 1800000000,
        approval: null,
        submitted: commitment,
        running: commitment,
      },
    },
    {
      type: 'countersign.action.completed.v1',
      data: {
        action,
        session,
        ordinal,
        transaction: null,
        status: 'succeeded',
        error: null,
        sqlstate: null,
        rows: 3,
        bytes: 120,
        released: commitment,
        durationMicroseconds: 900,
      },
    },
  ];
}
