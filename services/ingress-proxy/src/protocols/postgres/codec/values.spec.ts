import { type PostgresInstance, startPostgres } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { nameOfType, textOfBinary } from './values.js';

let postgres: PostgresInstance;
let client: pg.Client;

beforeAll(async () => {
  postgres = await startPostgres();
  client = new pg.Client(postgres.url());
  await client.connect();
  await client.query("SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'");
});

afterAll(async () => {
  await client?.end();
  await postgres?.stop();
});

/** A value in the binary form that PostgreSQL itself gives it, and its text. */
async function bothForms(
  type: string,
  text: string,
): Promise<{ readonly oid: number; readonly bytes: Buffer; readonly text: string }> {
  const { rows: types } = await client.query(
    'SELECT oid::int, typsend::text AS send FROM pg_type WHERE oid = $1::regtype',
    [type],
  );
  const { oid, send } = types[0] as { readonly oid: number; readonly send: string };
  const { rows } = await client.query(
    `SELECT ${send}(v) AS bytes, v::text AS text FROM (SELECT $1::text::${type} AS v) AS one`,
    [text],
  );
  return { oid, bytes: rows[0].bytes, text: rows[0].text };
}

const values: Readonly<Record<string, readonly string[]>> = {
  bool: ['true', 'false'],
  bytea: ['\\x', '\\x00ff'],
  int2: ['-32768', '7'],
  int4: ['-2147483648', '42'],
  int8: ['-9223372036854775808', '9007199254740993'],
  oid: ['4294967295'],
  text: ['', 'a Ünïcode 😀'],
  varchar: ['x'],
  name: ['relname'],
  json: ['{"a": 1}'],
  jsonb: ['{"a": [1, null]}'],
  float4: ['0', '-1.5', 'Infinity', 'NaN'],
  float8: ['0.1', '-0', '12345.678', 'NaN'],
  uuid: ['0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b'],
  date: ['2000-01-01', '1969-07-20', '0001-01-01', 'infinity', '-infinity'],
  timestamp: ['1999-12-31 23:59:59.999999', '2024-02-29 00:00:00', '0001-01-01 00:00:00.1', '-infinity'],
  timestamptz: ['2024-02-29 12:34:56.000001+00', 'infinity'],
  numeric: ['0', '0.00', '-1', '1.50', '10000', '99999999999999999999.0001', '0.00000001', '-0.0500', '1e40'],
};

describe('the text of a binary value', () => {
  it.each(Object.entries(values))('of %s is the one that PostgreSQL writes', async (type, texts) => {
    for (const given of texts) {
      const { oid, bytes, text } = await bothForms(type, given);
      expect([nameOfType(oid), textOfBinary(oid, bytes)]).toEqual([type, text]);
    }
  });

  it.each([
    ['a date before our era', 'date', '0044-03-15 BC'],
    ['a timestamp after the year 9999', 'timestamp', '12024-01-01 00:00:00'],
    ['a number that is none', 'numeric', 'NaN'],
    ['a type that is not read here', 'point', '(1,2)'],
  ])('is not guessed for %s', async (_what, type, given) => {
    const { oid, bytes } = await bothForms(type, given);
    expect(textOfBinary(oid, bytes)).toBeNull();
  });

  it.each([
    ['an int4 of five bytes', 23, '0000000001'],
    ['a bool of 2', 16, '02'],
    ['text that is not UTF-8', 25, 'ff'],
    ['another version of jsonb', 3802, '027b7d'],
    ['a numeric with leading zeros', 1700, '0002000100000000 0000 0001'],
    ['a numeric with digits behind its scale', 1700, '0002000000000000 0001 0001'],
    ['a numeric with a digit that is too large', 1700, '0001000000000000 ffff'],
    ['one of the many NaNs', 701, '7ff8000000000001'],
  ])('is not given for %s', (_what, oid, hex) => {
    expect(textOfBinary(oid, Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toBeNull();
  });

  it('names what it does not know', () => {
    expect([nameOfType(0), nameOfType(600)]).toEqual(['a type that the target infers', 'type 600']);
  });
});
