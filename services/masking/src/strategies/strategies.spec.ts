import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type pg from 'pg';
import { replaceDetected } from '../detectors/index.js';
import { type Shop, startShop } from '../fixtures/index.js';
import { readLabels, type Strategy } from '../labels/index.js';
import { maskOf } from './mask.js';

let shop: Shop;
let client: pg.Client;
beforeAll(async () => {
  shop = await startShop();
  client = await shop.connect('shop');
});
afterAll(async () => {
  await client.end();
  await shop.stop();
});

const DETECT: Strategy = {
  strategy: 'detect',
  detectors: ['contact.email', 'contact.phone', 'payment.card_number', 'person.national_id'],
};

function type(name: string) {
  const sql = name.includes('.') ? name : `pg_catalog.${name}`;
  return { sql: name.replace(/^_(.*)/, '$1[]'), name: sql, collation: null, deterministic: true };
}

/** Values as the database masks them. */
async function masked(
  strategy: Strategy,
  of: string,
  values: readonly (string | null)[],
): Promise<(string | null)[]> {
  const { sql } = maskOf(strategy, type(of), shop.context.catalogue);
  const { rows } = await client.query<{ m: string | null }>({
    text: `SELECT (${sql('v')})::text AS m FROM unnest($1::text[]) WITH ORDINALITY AS u(t, n), LATERAL (SELECT t::${type(of).sql} AS v) AS x ORDER BY n`,
    values: [values],
  });
  return rows.map(({ m }) => m);
}

describe('masks in the database', () => {
  const cases: readonly [string, Strategy, string, (string | null)[], (string | null)[]][] = [
    ['redact a text', { strategy: 'redact' }, 'text', ['Ana', '', null], ['***', '***', null]],
    ['redact a short text to its length', { strategy: 'redact' }, 'varchar', ['Ana'], ['***']],
    ['redact a number to nothing', { strategy: 'redact' }, 'numeric', ['1', null], [null, null]],
    ['redact an array by element', { strategy: 'redact' }, '_text', ['{a,NULL,b}', '{}'], ['{***,NULL,***}', '{}']],
    ['keep the end of a text', { strategy: 'partial', keep_last: 2 }, 'text', ['12345', '12', '', null], ['***45', '***', '***', null]],
    ['keep the end of each element', { strategy: 'partial', keep_last: 1 }, '_text', ['{ab,c}'], ['{***b,***}']],
    ['keep the year of a date', { strategy: 'generalise', to: 'year' }, 'date', ['1970-05-06', '0044-03-15 BC', 'infinity'], ['1970-01-01', null, null]],
    ['keep the year in UTC', { strategy: 'generalise', to: 'year' }, 'timestamptz', ['2020-06-01 00:00+00'], ['2020-01-01 00:00:00+00']],
    ['keep a network', { strategy: 'generalise', to: '/16' }, 'inet', ['10.1.2.3', '2001:db8::1'], ['10.1.0.0/16', '2001::/16']],
    ['generalise nothing else', { strategy: 'generalise', to: 'year' }, 'text', ['1970'], [null]],
    ['take away', { strategy: 'null' }, 'text', ['x'], [null]],
    ['take a whole document away', { strategy: 'redact' }, 'jsonb', ['{}'], [null]],
    ['degrade a surrogate', { strategy: 'surrogate' }, 'text', ['x', null], ['***', null]],
    ['find in prose', DETECT, 'text', ['Call +351123456789 or a@b.example.', 'AB12345678', '4111 1111 1111 1111'], ['Call [contact.phone] or [contact.email]', '[person.national_id]', '[payment.card_number]']],
    ['find in a document', DETECT, 'jsonb', ['{"a": "x@y.example", "n": 5}'], ['{"a": "[contact.email]", "n": 5}']],
    ['empty a document that would break', DETECT, 'jsonb', ['{"card": 4111111111111111}'], ['{}']],
    ['see through escapes of a document', DETECT, 'json', ['{"a": "x\\u0040y.example"}'], ['{"a": "[contact.email]"}']],
  ]; // biome-ignore format: one case a line

  it.each(cases)('%s', async (_, strategy, of, values, expected) => {
    await client.query("SET TimeZone = 'UTC'");
    expect(await masked(strategy, of, values)).toEqual(expected);
  });

  it('find what RE2 finds', async () => {
    const part = fc.constantFrom(
      'a@b.example',
      '+351',
      '123',
      '4111',
      ' ',
      '-',
      '.',
      'AB',
      '12345678',
      'x',
      '"',
      '(',
      'é',
      '@',
      '00',
      '\n',
    );
    const texts = fc.sample(
      fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
      { numRuns: 400, seed: 7 },
    );
    const found = await masked(DETECT, 'text', texts);
    expect(found).toEqual(
      texts.map((text) => replaceDetected(text, DETECT.strategy === 'detect' ? DETECT.detectors : [])),
    );
  });

  it('never show the value of a raw column by its mask', () => {
    const { sql } = maskOf({ strategy: 'surrogate' }, type('text'), shop.context.catalogue);
    expect(sql('v')).toContain('***');
  });
});

describe('detectors', () => {
  it('take linear time on hostile text', () => {
    const hostile = `${'a'.repeat(200_000)}!${'1-'.repeat(100_000)}${'+1 '.repeat(50_000)}`;
    const began = performance.now();
    replaceDetected(hostile, ['contact.email', 'contact.phone', 'payment.card_number', 'person.national_id']);
    expect(performance.now() - began).toBeLessThan(8000);
  });
});

describe('a labels file', () => {
  const good = {
    vocabulary: { a: 'A' },
    labels: { 's.t.c': 'a' },
    profiles: { p: { a: { strategy: 'keep' } } },
  };
  it.each([
    ['no JSON', '{'],
    ['an unknown strategy', JSON.stringify({ ...good, profiles: { p: { a: { strategy: 'hope' } } } })],
    ['a label outside the vocabulary', JSON.stringify({ ...good, labels: { 's.t.c': 'b' } })],
    ['a name that is no column', JSON.stringify({ ...good, labels: { 't.c': 'a' } })],
    ['a profile called none', JSON.stringify({ ...good, profiles: { none: {} } })],
    [
      'an unknown detector',
      JSON.stringify({ ...good, profiles: { p: { a: { strategy: 'detect', detectors: ['x'] } } } }),
    ],
    ['an unknown key', JSON.stringify({ ...good, lables: {} })],
  ])('is refused with %s', (_, source) => {
    expect(() => readLabels(source)).toThrow(expect.objectContaining({ code: 'config.invalid' }));
  });

  it('is read', () => {
    expect(readLabels(JSON.stringify(good)).labels).toEqual(good.labels);
  });
});
