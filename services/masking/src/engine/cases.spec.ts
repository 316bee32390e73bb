import { readFileSync } from 'node:fs';
import { type Facts, verbs } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { casesOf, corpus, type Shop, startShop, statements } from '../fixtures/index.js';
import { parseMessage } from '../parsing/index.js';
import type { Rewrite } from '../rewrite/index.js';
import { inspectParsed, rewriteParsed } from './engine.js';

function read<Case>(name: string): Case[] {
  return JSON.parse(readFileSync(new URL(`../../cases/${name}`, import.meta.url), 'utf8')) as Case[];
}

interface RiskCase {
  readonly id: string;
  readonly sql?: string;
  readonly build?: { readonly head: string; readonly unit: string; readonly times: number };
  readonly facts: { readonly verbs: string[]; readonly risks: string[] };
}
interface FactsCase {
  readonly name: string;
  readonly sql: string;
  readonly facts: Partial<Facts>;
}
interface RewriteCase {
  readonly name: string;
  readonly sql: string;
  readonly profile?: string;
  readonly lookups?: readonly string[];
  readonly refusal?: string;
  readonly released?: readonly { readonly index: number; readonly label: string }[];
  readonly masked?: boolean;
}

let shop: Shop;
beforeAll(async () => {
  shop = await startShop();
});
afterAll(() => shop.stop());

function factsOf(sql: string, context = shop.context): Facts {
  const parsed = parseMessage(shop.grammar, sql);
  return JSON.parse(inspectParsed(parsed, { statement: sql, parameterTypes: [] }, context).facts) as Facts;
}

function rewriteOf(
  sql: string,
  profile = 'analyst',
  lookups: readonly string[] = [],
  context = shop.context,
  parameterTypes: readonly number[] = [],
): Rewrite {
  return rewriteParsed(
    parseMessage(shop.grammar, sql),
    { profile, lookups, parameterTypes },
    context,
    shop.grammar,
  );
}

describe('verbs and risks', () => {
  it.each(casesOf<RiskCase>(corpus('risk.jsonl')))('of $id: $sql', ({ sql, build, facts }) => {
    const found = factsOf(sql ?? (build === undefined ? '' : build.head + build.unit.repeat(build.times)));
    expect([found.verbs, found.risks]).toEqual([facts.verbs.toSorted(), facts.risks.toSorted()]);
  });
});

describe('facts', () => {
  it.each(read<FactsCase>('facts.json'))('$name', ({ sql, facts }) => {
    expect(factsOf(sql)).toMatchObject(facts);
  });

  it('are refused as too complex beyond what can be recorded', () => {
    const columns = Array.from({ length: 700 }, (_, index) => `shop.f${index}()`);
    expect(() => factsOf(`SELECT ${columns.join(', ')}`)).not.toThrow();
    const context = {
      ...shop.context,
      catalogue: {
        ...shop.context.catalogue,
        relations: Object.fromEntries(
          Array.from({ length: 700 }, (_, index) => {
            const name = `t${index}${'x'.repeat(50)}`;
            const products = shop.context.catalogue.relations['shop.products'];
            if (products === undefined) throw new Error('The shop has no products.');
            return [`shop.${name}`, { ...products, name }];
          }),
        ),
      },
    };
    const tables = Object.keys(context.catalogue.relations);
    expect(() => factsOf(`SELECT 1 FROM ${tables.join(', ')}`, context)).toThrow(
      expect.objectContaining({ code: 'statement.too_complex' }),
    );
  });

  it('do not change with aliases', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,12}$/).map((text) => `a_${text}`);
    const seen = (sql: string) => {
      const { labels, objects, risks } = factsOf(sql);
      return { labels, objects, risks, verbs };
    };
    fc.assert(
      fc.property(name, name, (table, column) => {
        const one = `SELECT ${table}.email AS ${column}, upper(${table}.full_name) FROM shop.customers AS ${table} WHERE ${table}.phone IS NULL`;
        const two = 'SELECT x.email AS y, upper(x.full_name) FROM shop.customers AS x WHERE x.phone IS NULL';
        const nested = `SELECT ${column} FROM (SELECT email AS ${column} FROM shop.customers) AS ${table}`;
        expect(seen(one)).toEqual(seen(two));
        expect(seen(nested)).toEqual(seen('SELECT email FROM shop.customers'));
      }),
      { numRuns: 50 },
    );
  });

  it('hold no literal, alias or unknown name of the statement', () => {
    const secret = fc.integer({ min: 100_000_000, max: 999_999_999 }).map((number) => `zq${number}`);
    const places = [
      (text: string) => `SELECT '${text}'`,
      (text: string) => `SELECT id FROM shop.customers WHERE email = '${text}'`,
      (text: string) => `SELECT 1 AS ${text}`,
      (text: string) => `SELECT ${text} FROM ${text}.${text}`,
      (text: string) => `SELECT ${text}('x')`,
      (text: string) => `ALTER ROLE ${text} PASSWORD '${text}'`,
      (text: string) => `SET application_name = '${text}'`,
      (text: string) => `SET ${text}.x = 1`,
      (text: string) => `CREATE TABLE ${text} (${text} int)`,
      (text: string) => `DROP TABLE ${text}, shop.orders`,
      (text: string) => `COPY shop.orders TO '/${text}'`,
      (text: string) => `COMMENT ON TABLE shop.orders IS '${text}'`,
      (text: string) => `NOTIFY ${text}, '${text}'`,
      (text: string) => `DO '${text}'`,
      (text: string) => `SAVEPOINT ${text}`,
      (text: string) => `INSERT INTO shop.categories VALUES (1, 2, '${text}')`,
      (text: string) => `CREATE EXTENSION ${text}`,
      (text: string) => `-- ${text}`,
      (text: string) => `SELECT ${text} ${text} ${text} ${text}`,
      (text: string) => `CALL ${text}()`,
      (text: string) => `EXECUTE ${text}('${text}')`,
    ];
    fc.assert(
      fc.property(secret, fc.constantFrom(...places), (text, place) => {
        expect(JSON.stringify(factsOf(place(text)))).not.toContain(text);
        try {
          const rewrite = rewriteOf(place(text));
          if (rewrite.kind === 'refused') expect(JSON.stringify(rewrite.problem)).not.toContain(text);
        } catch (thrown) {
          expect(String(thrown)).not.toContain(text);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('are the same for the same statement', () => {
    fc.assert(
      fc.property(statements, (sql) => expect(factsOf(sql)).toEqual(factsOf(sql))),
      { numRuns: 50 },
    );
  });
});

describe('rewriting', () => {
  it.each(read<RewriteCase>('rewrites.json'))(
    '$name',
    ({ sql, profile, lookups, refusal, released, masked }) => {
      const rewrite = rewriteOf(sql, profile, lookups);
      if (rewrite.kind === 'refused') {
        expect(rewrite.problem.code).toBe(refusal);
        expect(rewrite.problem.reason).toMatch(/^[A-Zs].*\.$/);
        expect(rewrite.problem.wayOut).toMatch(/^[A-Z].*\.$/);
      } else {
        expect({ refusal: undefined, released: rewrite.releasedColumns }).toEqual({ refusal, released });
        if (masked !== undefined) expect(rewrite.masked).toBe(masked);
      }
    },
  );

  it.each([
    [
      "SELECT id FROM shop.customers WHERE national_id = 'x'",
      /^Use columns that are not masked \((?![^)]*birth_date)[^)]*city[^)]*\), or use what masking leaves of others \(birth_date, notes\)\.$/,
    ],
    [
      "SELECT id FROM shop.customers WHERE email = 'x'",
      /to compare for equality alone, ask for a role whose policy grants a lookup of the label contact\.email\.$/,
    ],
    ['SELECT id FROM shop.customers ORDER BY email', /^(?!.*lookup)/],
    [
      "UPDATE shop.customers SET loyalty_points = 1 WHERE email = 'x'",
      /^(?!.*birth_date).*, or ask for a role whose policy grants a lookup of the label contact\.email\.$/,
    ],
    ['UPDATE shop.customers SET city = email WHERE id = 1', /^(?!.*(birth_date|lookup))/],
  ])('says in the hint to %s what is open and what would help', (sql, hint) => {
    const rewrite = rewriteOf(sql);
    expect(rewrite.kind === 'refused' ? rewrite.problem.wayOut : 'not refused').toMatch(hint);
    expect(rewrite.kind).toBe('refused');
  });

  it('refuses a profile that is not configured', () => {
    expect(() => rewriteOf('SELECT 1', 'nobody')).toThrow(
      expect.objectContaining({ code: 'masking.profile_unknown' }),
    );
  });

  it.each([
    ['statement.unparsable', 'SELEC 1'],
    ['statement.unparsable', 'SELECT 1\0'],
    ['statement.unparsable', 'SELECT \ud800'],
    ['statement.too_large', `SELECT '${'x'.repeat(1024 * 1024)}'`],
    ['statement.too_large', `SELECT 1${'+1'.repeat(3000)}`],
  ])('says %s of text %#', (code, sql) => {
    expect(() => rewriteOf(sql)).toThrow(expect.objectContaining({ code }));
    expect(factsOf(sql).risks).toEqual([code === 'statement.unparsable' ? 'unparsable' : 'too-large']);
  });

  it('answers or refuses any text with a catalogued error', () => {
    const word = fc.constantFrom(
      'SELECT', 'FROM', 'WHERE', 'shop.customers', 'email', '*', ',', '(', ')', '=', '1', "'x'", 'AS', 'c', 'JOIN', 'ON',
      'USING', 'UNION', 'WITH', 'UPDATE', 'SET', 'DELETE', 'INSERT INTO', 'VALUES', 'RETURNING', 'GROUP BY', 'ORDER BY',
      'LATERAL', 'count', '.', 'NULL', '::', 'text', 'CASE WHEN', 'THEN', 'END', ';', 'MERGE', 'COPY', 'EXPLAIN', '$1', '--',
    ); // biome-ignore format: a list reads better in a block
    const text = fc.oneof(
      fc.array(word, { maxLength: 14 }).map((words) => words.join(' ')),
      fc.string({ maxLength: 40 }),
      statements,
    );
    fc.assert(
      fc.property(text, (sql) => {
        expect(factsOf(sql).version).toBe(1);
        try {
          rewriteOf(sql);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(CountersignError);
        }
      }),
      { numRuns: 1500 },
    );
  });
});

describe('what the owner of a database may have made', () => {
  it('is refused where it runs code that reads what it likes', async () => {
    const context = await shop.change([
      `CREATE FUNCTION shop.known(v text) RETURNS boolean LANGUAGE plpgsql STABLE AS
         'BEGIN RETURN EXISTS (SELECT 1 FROM shop.customers WHERE email = v); END'`,
      `CREATE FUNCTION shop.spy(text, text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END'`,
      'CREATE DOMAIN shop.stranger AS text CHECK (NOT shop.known(VALUE))',
      'CREATE TABLE shop.guesses (id int, guess text CHECK (NOT shop.known(guess)))',
      'CREATE TABLE shop.doubts (id int, guess shop.stranger)',
      'CREATE OPERATOR shop.=== (FUNCTION = shop.spy, LEFTARG = text, RIGHTARG = text)',
      'CREATE FUNCTION shop.upper(shop.email_address) RETURNS text LANGUAGE plpgsql AS $$BEGIN RETURN 1; END$$',
      'CREATE FUNCTION shop."upper.x"(v text) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT v$$',
      'CREATE TABLE shop.built (id int, constructor text)',
      'CREATE VIEW shop.built_view AS SELECT constructor FROM shop.built',
      'CREATE VIEW shop.early AS SELECT id, city FROM shop.customers WHERE email < $$m$$',
      'CREATE VIEW shop.opaque AS SELECT id, shop.known(city) AS known FROM shop.customers',
      'CREATE VIEW shop.twice AS SELECT d.id, d.contact AS again, length(d.contact) AS n FROM shop.customer_directory d',
      'CREATE RULE deaf AS ON INSERT TO shop.doubts DO ALSO NOTIFY heard',
      'GRANT ALL ON ALL TABLES IN SCHEMA shop TO gateway',
    ]);
    const refused = (sql: string) => {
      const rewrite = rewriteOf(sql, 'analyst', [], context);
      return rewrite.kind === 'refused' ? rewrite.problem.code : rewrite.releasedColumns;
    };
    expect(refused("SELECT 'x@example.com'::shop.stranger")).toBe('masking.not_understood');
    expect(rewriteOf('SELECT $1', 'analyst', [], context, [25])).toMatchObject({ kind: 'rewritten' });
    expect(rewriteOf('SELECT $1', 'analyst', [], context, [16_500])).toMatchObject({ kind: 'refused' });
    expect(refused('SELECT "upper.x"(city) FROM shop.customers')).toBe('masking.not_understood');
    expect(refused('SELECT constructor FROM shop.built_view')).toEqual([]);
    expect(refused("INSERT INTO shop.guesses VALUES (1, 'x@example.com')")).toBe('masking.not_understood');
    expect(refused("INSERT INTO shop.doubts (guess) VALUES ('x@example.com')")).toBe(
      'masking.not_understood',
    );
    expect(refused('INSERT INTO shop.doubts (id) VALUES (1)')).toBe('masking.not_understood');
    expect(refused("SELECT id FROM shop.products WHERE name === 'x'")).toBe('masking.not_understood');
    expect(refused('SELECT upper(city) FROM shop.customers')).toBe('masking.not_understood');
    expect(refused('SELECT pg_catalog.upper(city) FROM shop.customers')).toEqual([]);
    expect(refused('SELECT * FROM shop.early')).toBe('masking.opaque_predicate');
    expect(refused('SELECT * FROM shop.opaque')).toBe('masking.not_understood');
    expect(refused('SELECT id, again, n FROM shop.twice')).toEqual([{ index: 1, label: 'contact.email' }]);
  });
});
