import type { EventData, EventType } from '@countersign/contracts';
import { z } from 'zod';

// Identifiers end up in indexed columns and in sentences: no control characters, no lone surrogates, bounded.
const name = z
  .string()
  .min(1)
  .max(512)
  .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text));
const names = z.array(name).max(2048);
const count = z.int().min(0);
const seconds = z.int();
const verdict = z.enum(['allow', 'deny', 'modify', 'step_up', 'defer']);
const principalKind = z.enum(['agent', 'person']);
const place = z.object({ id: name, ordinal: count }).nullable();

const claims = z.object({
  session: name,
  agent: name,
  onBehalfOf: name,
  delegation: names,
  grant: name,
  role: name,
  target: name,
});
const grantEnd = z.object({ grant: name, agent: name, target: name });
const grantAct = grantEnd.extend({ by: name });
const answer = z.object({ approval: name, approver: name, decidedAt: seconds });

/** What the fold reads of each event type. Further fields are of no concern to it, so newer producers may add some. */
const shapes = {
  'countersign.epoch.opened.v1': z.object({
    publicKey: z.string().max(4096),
    certificate: z.string().max(16384),
    proof: z.string().max(1024),
    previous: z
      .object({ epoch: name, seq: z.string().regex(/^\d{1,15}$/), hash: z.string().max(128) })
      .nullable(),
  }),
  'countersign.session.opened.v1': z.object({
    claims,
    digest: name,
    tokenExpiresAt: seconds,
    transport: name,
  }),
  'countersign.session.refused.v1': z.object({
    target: name.nullable(),
    agent: name.nullable(),
    code: name,
    count,
  }),
  'countersign.session.ended.v1': z.object({ session: name, reason: name, actions: count }),
  'countersign.facts.described.v1': z.object({ digest: name }),
  'countersign.action.decided.v1': z.object({
    action: name,
    session: name,
    ordinal: count,
    target: name,
    agent: name,
    onBehalfOf: name,
    role: name,
    grant: name,
    transaction: place,
    verbs: names,
    objects: names,
    labels: names,
    risks: names,
    verdict,
    stage: name,
    refusal: name.nullable(),
    decision: z
      .object({ verdict, rules: names, obligations: z.object({ profile: name }).nullable() })
      .nullable(),
    policyDigest: name.nullable(),
    inputDigest: name.nullable(),
    sessionDigest: name,
    approval: z.object({ id: name, approver: name, decidedAt: seconds, expiresAt: seconds }).nullable(),
    submitted: name,
    running: name.nullable(),
  }),
  'countersign.action.completed.v1': z.object({
    action: name,
    session: name,
    status: z.enum(['succeeded', 'failed', 'refused', 'unknown']),
    error: name.nullable(),
    sqlstate: name.nullable(),
    rows: count,
    bytes: count,
    released: name.nullable(),
    durationMicroseconds: count,
  }),
  'countersign.transaction.ended.v1': z.object({
    transaction: name,
    session: name,
    result: z.enum(['committed', 'rolled-back', 'unknown']),
    actions: count,
  }),
  'countersign.recording.resumed.v1': z.object({ refusals: count, since: name }),
  'countersign.policy.activated.v1': z.object({
    policyDigest: name,
    bundleDigest: name,
    previous: name.nullable(),
  }),
  'countersign.masking.activated.v1': z.object({
    target: name,
    contextDigest: name,
    labelsDigest: name,
    relations: count,
  }),
  'countersign.principal.enrolled.v1': z.object({
    principal: name,
    kind: principalKind,
    roles: names,
    keyThumbprint: name,
    by: name,
  }),
  'countersign.principal.key-rotated.v1': z.object({
    principal: name,
    kind: principalKind,
    keyThumbprint: name,
    previousKeyThumbprint: name,
    by: name,
  }),
  'countersign.principal.disabled.v1': z.object({ principal: name, kind: principalKind, by: name }),
  'countersign.token.issued.v1': z.object({
    principal: name,
    kind: principalKind,
    audience: name,
    grant: name.nullable(),
    role: name.nullable(),
    tokenId: name,
    expiresAt: seconds,
  }),
  'countersign.token.refused.v1': z.object({ principal: name.nullable(), code: name, count }),
  'countersign.grant.requested.v1': z.object({
    grant: name,
    by: name,
    agent: name,
    onBehalfOf: name,
    target: name,
    role: name,
    expiresAt: seconds,
  }),
  'countersign.grant.activated.v1': grantAct,
  'countersign.grant.revoked.v1': grantAct,
  'countersign.grant.expired.v1': grantEnd,
  'countersign.approval.requested.v1': z.object({
    approval: name,
    action: name,
    session: name,
    agent: name,
    onBehalfOf: name,
    grant: name,
    role: name,
    target: name,
    policyDigest: name,
    profile: name,
    rules: names,
    expiresAt: seconds,
  }),
  'countersign.approval.approved.v1': answer.extend({ expiresAt: seconds }),
  'countersign.approval.denied.v1': answer,
  'countersign.approval.expired.v1': z.object({ approval: name }),
  'countersign.approval.consumed.v1': z.object({ approval: name, action: name }),
  'countersign.approval.refused.v1': z.object({
    approval: name,
    principal: name,
    kind: principalKind,
    code: name,
  }),
  'countersign.approval.shown.v1': z.object({ approval: name, principal: name }),
  'countersign.evidence.read.v1': z.object({
    principal: name.nullable(),
    resource: name,
    status: z.int(),
    count,
  }),
  'countersign.evidence.finding.v1': z.object({ finding: name, record: name }),
} as const satisfies {
  readonly [Type in EventType]: z.ZodType<{ readonly [Field in keyof EventData[Type]]?: unknown }>;
};

type Shapes = typeof shapes;

/** An event as the fold reads it: its type, and of its data what the shape names. */
export type ReadData = { readonly [Type in EventType]: z.output<Shapes[Type]> };

export function isKnownType(type: string): type is EventType {
  return Object.hasOwn(shapes, type);
}

/** The data of an event if it has the form of its type, else null. */
export function readData<Type extends EventType>(type: Type, data: unknown): ReadData[Type] | null {
  const result = shapes[type].safeParse(data);
  return result.success ? (result.data as ReadData[Type]) : null;
}
