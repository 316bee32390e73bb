import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type pg from 'pg';
import {
  renamed,
  type Shop,
  sameTranscript,
  startShop,
  statements,
  type Transcript,
  transcribe,
} from '../fixtures/index.js';
import { parseMessage } from '../parsing/index.js';
import { rewriteParsed } from './engine.js';

const full = process.env.FULL === '1';

let shop: Shop;
let clients: readonly [pg.Client, pg.Client];

beforeAll(async () => {
  shop = await startShop(['shop', 'twin']);
  clients = [await shop.connect('shop'), await shop.connect('twin')];
  for (const client of clients) await client.query(`SET statement_timeout = '${full ? '500ms' : '250ms'}'`);
});
afterAll(async () => {
  for (const client of clients) await client.end();
  await shop.stop();
});

describe('non-interference', () => {
  it.each(['analyst', 'strict'])(
    'holds for random queries under `%s`',
    async (profile) => {
      let ran = 0;
      await fc.assert(
        fc.asyncProperty(statements, async (text) => {
          const parsed = parseMessage(shop.grammar, text);
          const rewrite = rewriteParsed(
            parsed,
            { profile, lookups: [], parameterTypes: [] },
            shop.context,
            shop.grammar,
          );
          if (rewrite.kind === 'refused') return;
          const [left, right] = [
            renamed(await transcribe(clients[0], rewrite.statement), rewrite.releasedColumns, new Map()),
            renamed(await transcribe(clients[1], rewrite.statement), rewrite.releasedColumns, new Map()),
          ];
          // A time-out tells of the machine's load, not of values.
          if (left.error === '57014' || right.error === '57014') return;
          if (left.error === undefined) ran += 1;
          expect([text, sameTranscript(left, right, false)]).toEqual([text, true]);
        }),
        { numRuns: full ? 3000 : 120, ...(full ? {} : { seed: 20_240_601 }) },
      );
      expect(ran).toBeGreaterThan(full ? 500 : 15);
    },
    full ? 1_800_000 : 60_000,
  );

  const returning = [
    'UPDATE shop.customers SET loyalty_points = 1 WHERE id <= 5 RETURNING *',
    'UPDATE shop.customers SET loyalty_points = 1 WHERE id <= 5 RETURNING id, old.email, new.full_name AS n, old.*',
    'DELETE FROM shop.newsletter_bounces WHERE id <= 5 RETURNING newsletter_bounces.*',
    'DELETE FROM shop.newsletter_bounces b USING shop.products p WHERE b.id = p.id RETURNING b.*, p.id',
    'WITH u AS (UPDATE shop.payments SET amount = amount WHERE id <= 5 RETURNING card_number AS x) SELECT x FROM u',
    'MERGE INTO shop.customers c USING (SELECT 1 AS id) s ON c.id = s.id WHEN MATCHED THEN UPDATE SET loyalty_points = 2 RETURNING c.email, c.phone',
  ];

  it.each(['analyst', 'strict'])('holds for rows that a write returns under `%s`', async (profile) => {
    for (const text of returning) {
      const rewrite = rewriteParsed(
        parseMessage(shop.grammar, text),
        { profile, lookups: [], parameterTypes: [] },
        shop.context,
        shop.grammar,
      );
      if (rewrite.kind === 'refused') throw new Error(`${text}: ${rewrite.problem.reason}`);
      const transcripts: Transcript[] = [];
      const plain: Transcript[] = [];
      for (const client of clients) {
        for (const [statement, list] of [
          [rewrite.statement, transcripts],
          [text, plain],
        ] as const) {
          await client.query('BEGIN');
          list.push(await transcribe(client, statement));
          await client.query('ROLLBACK');
        }
      }
      const [left, right] = transcripts;
      const [one, other] = plain;
      if (left === undefined || right === undefined || one === undefined || other === undefined) continue;
      expect([text, left.error, left.rows?.length === one.rows?.length]).toEqual([text, undefined, true]);
      expect(left.rows?.length).toBeGreaterThan(0);
      expect([text, sameTranscript(left, right, false)]).toEqual([text, true]);
      // The twins do differ in what the masks hide.
      expect([text, sameTranscript(one, other, false)]).toEqual([text, false]);
    }
  });
});
