import { readFileSync } from 'node:fs';
import {
  canonicalJson,
  type Facts,
  type Operation,
  type ReleasePlan,
  type RequestShape,
} from '@countersign/contracts';
import { describe, expect, it } from '@jest/globals';
import { type Labels, readLabels } from '../labels/index.js';
import { describeOperations, planOf, readShape, requestFacts } from './index.js';

interface Cases {
  readonly operations: readonly Operation[];
  readonly labels: Labels;
  readonly facts: readonly {
    readonly name: string;
    readonly shape: Omit<RequestShape, 'version'>;
    readonly facts: Partial<Facts>;
  }[];
  readonly plans: readonly {
    readonly name: string;
    readonly shape: Omit<RequestShape, 'version'>;
    readonly profile: string;
    readonly lookups: readonly string[];
    readonly plan?: ReleasePlan;
    readonly released?: readonly unknown[];
    readonly refusal?: string;
  }[];
}

const cases: Cases = JSON.parse(
  readFileSync(new URL('../../cases/requests.json', import.meta.url), 'utf8'),
) as Cases;
const labels = readLabels(JSON.stringify(cases.labels));
const handed = (operations: unknown) => [
  { name: 'operations', rows: Buffer.from(JSON.stringify(operations)) },
];
const context = describeOperations('clinic-api', handed(cases.operations), labels);
const shapeOf = (shape: Omit<RequestShape, 'version'>) => readShape(canonicalJson({ version: 1, ...shape }));

describe('facts of a request', () => {
  it.each(cases.facts)('$name', ({ shape, facts }) => {
    expect(requestFacts(shapeOf(shape), context)).toMatchObject({
      protocol: 'http',
      statements: 1,
      ...facts,
    });
  });

  it.each([
    '',
    '{}',
    '{"version": 1}',
    'SELECT 1',
    `${canonicalJson({ version: 1, ...cases.facts[0]?.shape })} `,
  ])('are of no text but a canonical shape: %j', (text) => {
    expect(() => readShape(text)).toThrow(expect.objectContaining({ code: 'statement.unparsable' }));
  });
});

describe('the plan for an answer', () => {
  it.each(cases.plans)('$name', ({ shape, profile, lookups, plan, released, refusal }) => {
    const rewrite = planOf(shapeOf(shape), profile, lookups, context);
    if (rewrite.kind === 'refused') expect(rewrite.problem.code).toBe(refusal);
    else {
      expect(JSON.parse(rewrite.statement)).toEqual(plan);
      expect(rewrite.statement).toBe(canonicalJson(plan));
      expect(rewrite.releasedColumns).toEqual(released);
      expect(rewrite.masked).toBe((plan?.fields.length ?? 0) > 0);
    }
  });

  it('takes everything away under the profile that is given where no label is touched', () => {
    const [first] = cases.plans;
    if (first === undefined) throw new Error('There are no cases.');
    const rewrite = planOf(shapeOf(first.shape), 'none', [], context);
    const fields = rewrite.kind === 'rewritten' ? (JSON.parse(rewrite.statement) as ReleasePlan).fields : [];
    expect(fields.map(({ strategy }) => strategy)).toEqual(['null', 'null', 'null', 'null']);
  });

  it('is of no profile that is not configured', () => {
    const [first] = cases.plans;
    if (first === undefined) throw new Error('There are no cases.');
    expect(() => planOf(shapeOf(first.shape), 'other', [], context)).toThrow(
      expect.objectContaining({ code: 'masking.profile_unknown' }),
    );
  });
});

describe('operations', () => {
  it('make a context that changes with each of them', () => {
    const [first, ...rest] = cases.operations;
    const other = describeOperations(
      'clinic-api',
      handed([{ ...first, risks: ['network'] }, ...rest]),
      labels,
    );
    expect(other.digest).not.toBe(context.digest);
    expect(describeOperations('clinic-api', handed(cases.operations), labels).digest).toBe(context.digest);
  });

  it.each([
    [[], 'request.invalid'],
    [handed('nothing'), 'request.invalid'],
    [handed([{ operation: 'GET /' }]), 'request.invalid'],
    [handed([{ ...cases.operations[0], labels: { '/a': 'person.secret' } }]), 'config.invalid'],
    [handed([{ ...cases.operations[0], query: { a: 'person.secret' } }]), 'config.invalid'],
  ])('are refused where they are wrong: %#', (results, code) => {
    expect(() => describeOperations('clinic-api', results, labels)).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
