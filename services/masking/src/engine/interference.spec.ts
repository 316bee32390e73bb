import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type pg from 'pg';
import { renamed, type Shop, sameTranscript, startShop, statements, transcribe } from '../fixtures/index.js';
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
});
