import { readFileSync } from 'node:fs';
import { CountersignError } from '@countersign/errors';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { TargetContext } from '../analysis/index.js';
import {
  renamed,
  type Shop,
  sameTranscript,
  startShop,
  type Transcript,
  transcribe,
} from '../fixtures/index.js';
import { parseMessage } from '../parsing/index.js';
import type { Rewrite } from '../rewrite/index.js';
import { rewriteParsed } from './engine.js';

/** What an owner may have made that an attack leans on, and the statements of the attack, sent in order. */
interface Attack {
  readonly name: string;
  readonly owner?: readonly string[];
  /** Labels of what the owner made, as in a labels file. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly sql: readonly string[];
  /** Whether each statement must be refused: twins may agree by luck. */
  readonly refused?: boolean;
}

const attacks = JSON.parse(
  readFileSync(new URL('../../cases/attacks.json', import.meta.url), 'utf8'),
) as Attack[];

let shop: Shop;
let context: TargetContext;
let clients: readonly [pg.Client, pg.Client];

beforeAll(async () => {
  shop = await startShop(['shop', 'twin']);
  context = await shop.change(
    [
      ...attacks.flatMap(({ owner }) => owner ?? []),
      'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shop TO gateway',
    ],
    Object.assign({}, ...attacks.map((attack) => attack.labels)) as Record<string, string>,
  );
  clients = [await shop.connect('shop'), await shop.connect('twin')];
});
afterAll(async () => {
  for (const client of clients) await client.end();
  await shop.stop();
});

function rewriteOf(text: string, profile: string): Rewrite {
  try {
    return rewriteParsed(
      parseMessage(shop.grammar, text),
      { profile, lookups: [], parameterTypes: [] },
      context,
      shop.grammar,
    );
  } catch (thrown) {
    if (!(thrown instanceof CountersignError)) throw thrown;
    return { kind: 'refused', problem: { code: 'masking.not_understood', reason: thrown.code, wayOut: '' } };
  }
}

describe('attacks on two databases that differ in hidden values only', () => {
  describe.each(['analyst', 'strict'])('under `%s`', (profile) => {
    it.each(attacks)('$name', async ({ sql, refused }) => {
      const seen: [string, Transcript, Transcript][] = [];
      const names = [new Map<string, string>(), new Map<string, string>()] as const;
      let refusals = 0;
      for (const client of clients) await client.query('BEGIN');
      for (const text of sql) {
        const rewrite = rewriteOf(text, profile);
        if (rewrite.kind === 'refused') {
          refusals += 1;
          continue;
        }
        const [left, right] = [
          await attempt(clients[0], rewrite.statement),
          await attempt(clients[1], rewrite.statement),
        ];
        seen.push([
          rewrite.statement,
          renamed(left, rewrite.releasedColumns, names[0]),
          renamed(right, rewrite.releasedColumns, names[1]),
        ]);
      }
      for (const client of clients) await client.query('ROLLBACK');
      const telling = seen.filter(
        ([text, left, right]) => !sameTranscript(left, right, /order by/i.test(text)),
      );
      expect(telling.map(([text]) => text)).toEqual([]);
      if (refused === true) expect(refusals).toBe(sql.length);
    });
  });
});

async function attempt(client: pg.Client, text: string): Promise<Transcript> {
  await client.query('SAVEPOINT s');
  const got = await transcribe(client, text);
  await client.query(got.error === undefined ? 'RELEASE s' : 'ROLLBACK TO s');
  return got;
}
