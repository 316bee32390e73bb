import { canonicalJson, type PolicyInput, type Verdict } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { caseTable, committedBundle } from './fixtures/policies.js';
import { type LoadedPolicy, loadPolicy } from './load.js';

const { cases, bases, isExpected } = await caseTable();
let policy: LoadedPolicy;
beforeAll(async () => {
  policy = await loadPolicy(committedBundle());
});

/** Every place in an input, as a list of keys. */
function placesOf(value: unknown, at: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [];
  const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
  return [...keys].flatMap((key) => {
    const place = [...at, key];
    return [place, ...placesOf((value as Record<string | number, unknown>)[key], place)];
  });
}

/** A copy with one place changed, or removed where `value` is undefined. */
function changed(input: unknown, place: readonly (string | number)[], value: unknown): PolicyInput {
  const copy = structuredClone(input) as Record<string | number, unknown>;
  const last = place.at(-1) ?? '';
  const parent = place
    .slice(0, -1)
    .reduce<Record<string | number, unknown>>(
      (object, key) => object[key] as Record<string | number, unknown>,
      copy,
    );
  if (value !== undefined) parent[last] = value;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
  return copy as unknown as PolicyInput;
}

/** The verdict, or the code of the error. */
function answerTo(input: unknown): string {
  try {
    return policy.decide(input as PolicyInput).verdict;
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    return error.code;
  }
}

const refusals = ['deny', 'request.invalid', 'request.too_large'];

describe('the policy', () => {
  it.each(cases.map((entry) => [entry.name, entry] as const))('%s', (_name, { input, expect: expected }) => {
    const decision = policy.decide(input);
    if (!isExpected(expected, decision)) expect(decision).toEqual(expected);
    expect(isExpected(expected, decision)).toBe(true);
  });

  it('reaches all five verdicts by cases', () => {
    const verdicts = new Set(cases.map(({ input }) => policy.decide(input).verdict));
    expect([...verdicts].sort()).toEqual(['allow', 'defer', 'deny', 'modify', 'step_up'] satisfies Verdict[]);
  });

  it('names each case once', () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  it('denies an input that lacks any field, by its shape', () => {
    for (const base of Object.values(bases)) {
      for (const place of placesOf(base)) {
        if (typeof place.at(-1) === 'number') continue;
        expect(policy.decide(changed(base, place, undefined)).rules).toEqual(['deny.malformed-input']);
      }
    }
  });

  it('denies an input with a value of another type anywhere', () => {
    const odd = [null, true, false, 0, -1, 1.5, '', 'odd', [], ['odd'], {}, { odd: 'odd' }];
    for (const base of Object.values(bases)) {
      for (const place of placesOf(base)) {
        const value = place.reduce<unknown>((object, key) => (object as Record<string, unknown>)[key], base);
        for (const other of odd.filter((candidate) => kindOf(candidate) !== kindOf(value))) {
          if (place.at(-1) === 'transaction' || (place.length === 1 && other === null)) continue;
          const { verdict, rules } = policy.decide(changed(base, place, other));
          expect([place, other, verdict, rules]).toEqual([place, other, 'deny', ['deny.malformed-input']]);
        }
      }
    }
  });

  it('answers any JSON with a decision or a catalogued refusal, and allows nothing in an unknown role', () => {
    const places = Object.values(bases).flatMap((base) =>
      placesOf(base).map((place) => [base, place] as const),
    );
    const roles = new Set(['reader', 'analyst', 'operator']);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...places), fc.jsonValue({ maxDepth: 3 })), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.string(),
        (changes, role) => {
          const base = changes[0]?.[0][0];
          if (base === undefined) return;
          let input: PolicyInput = base;
          for (const [[, place], value] of changes) {
            try {
              input = changed(input, place, value);
            } catch {
              // The place went away by an earlier change.
            }
          }
          expect(answerTo(input)).toMatch(/^(allow|deny|modify|step_up|defer|request\.(invalid|too_large))$/);
          if (roles.has(role) || typeof input.session !== 'object' || input.session === null) return;
          expect(refusals).toContain(answerTo({ ...input, session: { ...input.session, role } }));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('allows nothing to JSON that is no input', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(refusals).toContain(answerTo(value));
      }),
      { numRuns: 1000 },
    );
  });

  it('tells nothing of the statement in its reason', () => {
    for (const { input } of cases) {
      const marked = changed(
        changed(input, ['session', 'agent'], 'zyxquartz'),
        ['facts', 'objects'],
        [{ name: 'zyxquartz', kind: 'table', verbs: input.facts.verbs }],
      );
      const { reason, rules } = policy.decide(marked);
      expect(JSON.stringify([reason, rules])).not.toContain('zyxquartz');
    }
  });

  it('gives the same bytes for the same input, whatever it was asked before and in every instance', async () => {
    const other = await loadPolicy(committedBundle());
    const once = cases.map(({ input }) => canonicalJson(policy.decide(input)));
    for (let round = 0; round < 20; round += 1) {
      for (const [index, { input }] of [...cases.entries()].reverse()) {
        expect(canonicalJson(policy.decide(input))).toBe(once[index]);
      }
    }
    expect(cases.map(({ input }) => canonicalJson(other.decide(input)))).toEqual(once);
    const sent = cases.map(({ input }) => Buffer.from(canonicalJson(input)));
    expect(sent.map((bytes) => canonicalJson(other.decideBytes(bytes)))).toEqual(once);
  });

  it('takes inputs up to the limit', () => {
    const [base] = Object.values(bases);
    const objects = Array.from({ length: 700 }, (_, index) => ({
      name: `shop.table_with_a_long_name_${index}`,
      kind: 'table',
      verbs: ['read'],
    }));
    expect(answerTo(changed(base, ['facts', 'objects'], objects))).toBe('allow');
  });
});

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'list' : typeof value;
}
