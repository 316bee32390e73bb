import { readFileSync } from 'node:fs';
import type { ReleasePlan, ReleaseStrategy } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Release } from '../../../gate/index.js';
import { isReadWhole, maskedAnswer, problemAnswer, readPlan } from './index.js';

interface MaskingCase {
  readonly name: string;
  readonly fields: Readonly<Record<string, string | ReleaseStrategy>>;
  readonly document: string;
  readonly masked: string;
}

const cases = JSON.parse(
  readFileSync(new URL('../../../../cases/http-masking.json', import.meta.url), 'utf8'),
) as readonly MaskingCase[];

const release = (rowLimit: number | null = null): Release => ({
  columns: [],
  masked: true,
  rowLimit,
  replace: async (cells) => cells.map(({ value }) => Buffer.from(`<${Buffer.from(value).toString()}>`)),
  commit: () => undefined,
});

const planOf = (fields: MaskingCase['fields'], rows: string | null = null) =>
  readPlan(
    JSON.stringify({
      version: 1,
      fields: Object.entries(fields).map(([pointer, strategy]) => ({
        pointer,
        ...(typeof strategy === 'string' ? { strategy } : strategy),
      })),
      rows,
    } as ReleasePlan),
  );

describe('labelled fields of an answer', () => {
  it.each(cases)('$name', async ({ fields, document, masked }) => {
    const { body } = await maskedAnswer(Buffer.from(document), planOf(fields), release());
    expect(body.toString()).toBe(masked);
  });

  it('are redacted wherever a pointer finds them, and nothing else changes', async () => {
    const names = fc.constantFrom('a', 'b', '*', '0');
    const document = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'medium' },
        fc.jsonValue({ maxDepth: 0 }),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(names, tie('value'), { maxKeys: 3 }),
      ),
    })).value;
    const pointers = fc.uniqueArray(
      fc.array(names, { maxLength: 3 }).map((tokens) => tokens.map((token) => `/${token}`).join('')),
      { maxLength: 3 },
    );
    await fc.assert(
      fc.asyncProperty(document, pointers, fc.constantFrom(0, 1, 3), async (value, places, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        const plan = planOf(Object.fromEntries(places.map((place) => [place, 'redact'])));
        const { body } = await maskedAnswer(Buffer.from(text), plan, release());
        const tokens = places.map((place) => place.split('/').slice(1));
        expect(JSON.parse(body.toString())).toEqual(redacted(JSON.parse(text), tokens));
      }),
      { numRuns: 1500 },
    );
  });

  it.each([
    ['no JSON', '<html>'],
    ['half a document', '{"a": 1'],
    ['two documents', '{} {}'],
    ['a document nested too deeply', `${'['.repeat(5000)}${']'.repeat(5000)}`],
  ])('make %s a refusal', async (_, text) => {
    await expect(
      maskedAnswer(Buffer.from(text), planOf({ '/a': 'redact' }), release()),
    ).rejects.toMatchObject({
      code: 'http.unmaskable',
    });
  });

  it('make what is no UTF-8 a refusal', async () => {
    const bytes = Buffer.from([0x22, 0xff, 0x22]);
    await expect(maskedAnswer(bytes, planOf({ '/a': 'redact' }), release())).rejects.toMatchObject({
      code: 'http.unmaskable',
    });
  });

  it('are found beside a string of a megabyte', async () => {
    const long = '\\"'.repeat(500_000);
    const { body } = await maskedAnswer(
      Buffer.from(`{"x":"${long}","a":"b"}`),
      planOf({ '/a': 'redact' }),
      release(),
    );
    expect(body.subarray(-11).toString()).toBe('"a":"***"}'.padStart(11, ','));
  });
});

describe('rows of an answer', () => {
  const body = Buffer.from('{"items":[1,2,3]}');
  it('are counted where they are declared', async () => {
    expect(await maskedAnswer(body, planOf({}, '/items'), release(3))).toMatchObject({ rows: 3 });
    expect(await maskedAnswer(body, planOf({}, '/other'), release(3))).toMatchObject({ rows: 1 });
    await expect(maskedAnswer(body, planOf({}, '/items'), release(2))).rejects.toMatchObject({
      code: 'release.row_limit',
    });
  });

  it('make an answer be read as a whole only where they are limited', () => {
    expect([
      isReadWhole(planOf({}, '/items'), release(null)),
      isReadWhole(planOf({}, '/items'), release(1)),
      isReadWhole(planOf({}), release(1)),
      isReadWhole(planOf({ '/a': 'null' }), release(null)),
    ]).toEqual([false, true, false, true]);
  });
});

describe('a problem', () => {
  it('has the code of the catalogue, what to do, and where to look', () => {
    const { status, headers, body } = problemAnswer(new CountersignError('approval.pending'), {
      action: 'a-1',
      rules: ['step_up.x'],
      location: '/api/.countersign/approvals/1',
    });
    expect(status).toBe(202);
    expect(headers).toMatchObject({
      'content-type': 'application/problem+json',
      location: '/api/.countersign/approvals/1',
    });
    expect(JSON.parse(body.toString())).toMatchObject({
      type: 'urn:countersign:error:approval.pending',
      code: 'approval.pending',
      status: 202,
      action: 'a-1',
      rules: ['step_up.x'],
    });
  });
});

/** The same by another way: over the parsed value, place by place. */
function redacted(value: unknown, places: readonly (readonly string[])[]): unknown {
  if (places.some((place) => place.length === 0)) return value === null ? null : '***';
  if (typeof value !== 'object' || value === null) return value;
  const inner = (key: string, child: unknown): unknown =>
    redacted(
      child,
      places.filter(([first]) => first === '*' || first === key).map((place) => place.slice(1)),
    );
  if (Array.isArray(value)) return value.map((child, index) => inner(String(index), child));
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, inner(key, child)]));
}
