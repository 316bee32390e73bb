import { type PostgresInstance, startPostgres } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { encodeByteaArray, encodeTextArray } from './arrays.js';
import { formatPosition, parsePosition } from './position.js';

describe('binary arrays', () => {
  let postgres: PostgresInstance;
  let client: pg.Client;
  beforeAll(async () => {
    postgres = await startPostgres();
    client = new pg.Client({ connectionString: postgres.url() });
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await postgres.stop();
  });

  it('are read by PostgreSQL as they were meant', async () => {
    const rows = fc.array(
      fc.record({
        text: fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', '')),
        bytes: fc.option(fc.uint8Array({ maxLength: 300 })),
      }),
      { maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(rows, async (sent) => {
        const result = await client.query<{ text: string; bytes: Buffer | null }>(
          'SELECT text, bytes FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS r (text, bytes, n) ORDER BY n',
          [encodeTextArray(sent.map(({ text }) => text)), encodeByteaArray(sent.map(({ bytes }) => bytes))],
        );
        const hex = (bytes: Uint8Array | null) =>
          bytes === null ? null : Buffer.from(bytes).toString('hex');
        expect(result.rows.map(({ text, bytes }) => [text, hex(bytes)])).toEqual(
          sent.map(({ text, bytes }) => [text.toWellFormed(), hex(bytes)]),
        );
      }),
      { numRuns: 60 },
    );
  });
});

describe('positions', () => {
  const place = fc.record({
    xid: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    ordinal: fc.nat({ max: 2 ** 31 - 1 }),
  });

  it('compare as strings as their places do, and come back', () => {
    fc.assert(
      fc.property(place, place, (one, other) => {
        const [first, second] = [one, other].map(({ xid, ordinal }) =>
          formatPosition({ xid: `${xid}`, ordinal }),
        );
        const before = one.xid < other.xid || (one.xid === other.xid && one.ordinal < other.ordinal);
        expect((first ?? '') < (second ?? '')).toBe(before);
        expect(parsePosition(first ?? '')).toEqual({ xid: `${one.xid}`, ordinal: one.ordinal });
      }),
    );
  });

  it('of anything else are refused', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => parsePosition(text)).toThrow();
      }),
    );
  });
});
