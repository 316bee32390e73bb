import { randomUUID } from 'node:crypto';
import type { EventDraft } from '@countersign/ledger';

const digest = `sha256:${'0'.repeat(64)}` as const;
const session = randomUUID();

/** The two events of each of so many selects by key, with the sizes that the ingress gives them. */
export function actionDrafts(actions: number): EventDraft[] {
  return Array.from({ length: actions }, (_, ordinal) => pair(randomUUID(), ordinal)).flat();
}

function pair(action: string, ordinal: number): EventDraft[] {
  return [
    {
      type: 'countersign.action.decided.v1',
      correlationid: session,
      data: {
        action,
        session,
        ordinal,
        target: 'clinic',
        agent: 'agent:a-analyst',
        onBehalfOf: 'person:p-requester',
        role: 'analyst',
        grant: session,
        transaction: null,
        verbs: ['read'],
        objects: ['clinic.appointments'],
        labels: [],
        risks: [],
        verdict: 'allow',
        stage: 'policy',
        refusal: null,
        decision: {
          verdict: 'allow',
          rules: ['role.analyst.read'],
          reason: 'An analyst may read.',
          obligations: { profile: 'none', lookups: [], rowLimit: 100_000, timeLimitSeconds: 120 },
        },
        policyDigest: digest,
        inputDigest: digest,
        factsDigest: digest,
        sessionDigest: digest,
        decidedAt: 1_800_000_000,
        approval: null,
        submitted: digest,
        running: digest,
      },
    },
    {
      type: 'countersign.action.completed.v1',
      correlationid: session,
      data: {
        action,
        session,
        ordinal,
        transaction: null,
        status: 'succeeded',
        error: null,
        sqlstate: null,
        rows: 1,
        bytes: 40,
        released: digest,
        durationMicroseconds: 400,
      },
    },
  ];
}
