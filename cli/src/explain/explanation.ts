import { z } from 'zod';
import { box, facts } from '../terminal/index.js';

const words = z.array(z.string());

/** What a gateway answers to EXPLAIN (COUNTERSIGN). */
export const explanation = z.looseObject({
  action: z.string(),
  verdict: z.string(),
  stage: z.string(),
  refusal: z.looseObject({ code: z.string(), message: z.string(), next: z.string() }).nullable(),
  facts: z
    .looseObject({
      verbs: words,
      risks: words,
      objects: z.array(z.looseObject({ name: z.string() })),
      labels: z.array(z.looseObject({ label: z.string(), column: z.string() })),
    })
    .nullable(),
  decision: z
    .looseObject({
      verdict: z.string(),
      rules: words,
      reason: z.string(),
      obligations: z
        .looseObject({
          profile: z.string(),
          lookups: words,
          rowLimit: z.number().nullable(),
          timeLimitSeconds: z.number().nullable(),
        })
        .nullable(),
    })
    .nullable(),
  policyDigest: z.string().nullable(),
  rewrite: z
    .looseObject({
      text: z.string(),
      masked: z.boolean(),
      replaced: z.array(z.looseObject({ column: z.number(), label: z.string() })),
    })
    .nullable(),
});
export type Explanation = z.output<typeof explanation>;

const joined = (list: readonly string[] | undefined) =>
  list === undefined || list.length === 0 ? '-' : list.join(', ');

/** For a person: the verdict and its reasons first, then what would run. */
export function renderExplanation(explained: Explanation, width: number): string {
  const { decision, refusal, rewrite, verdict, stage } = explained;
  const obligations = decision?.obligations ?? null;
  const limits = [
    ...(obligations?.rowLimit == null ? [] : [`${obligations.rowLimit} rows`]),
    ...(obligations?.timeLimitSeconds == null ? [] : [`${obligations.timeLimitSeconds} s`]),
  ];
  const replaced = rewrite?.replaced.map(({ column, label }) => `column ${column + 1} (${label})`);
  return [
    facts([
      ['verdict', `${verdict}, decided by ${stage}`],
      ...(refusal === null ? [] : refused(refusal)),
      ['why', decision?.reason ?? '-'],
      ['rules', joined(decision?.rules)],
      ['does', joined(explained.facts?.verbs)],
      ['risks', joined(explained.facts?.risks)],
      ['objects', joined(explained.facts?.objects.map(({ name }) => name))],
      ['labels', joined(explained.facts?.labels.map(({ label, column }) => `${label} (${column})`))],
      ['profile', obligations?.profile ?? '-'],
      ['limits', joined(limits)],
      ['replaced', joined(replaced)],
      ['policy', explained.policyDigest ?? '-'],
      ['recorded', `as dry run ${explained.action}`],
    ]),
    ...(rewrite === null
      ? []
      : ['', box(rewrite.masked ? 'this would run, masked' : 'this would run', rewrite.text, width)]),
  ].join('\n');
}

const refused = ({ code, message, next }: NonNullable<Explanation['refusal']>): [string, string][] => [
  ['refusal', `${code}: ${message}`],
  ['next', next],
];
