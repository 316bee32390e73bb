import { commitmentOf } from '@countersign/contracts';
import { waitUntil } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { bytesOfSubmitted, saltOf } from './gate/index.js';
import {
  type Call,
  called,
  cellsOf,
  codeOf,
  columnsOf,
  int16,
  int32,
  RawClient,
  type RawMessage,
  secretOf,
  startWorld,
  surrogateOf,
  type World,
} from './testing/index.js';

let world: World;

beforeAll(async () => {
  world = await startWorld({ settings: { limits: { holdSeconds: 0, noticeSeconds: 0.2 } } });
});

afterAll(async () => {
  await world?.stop();
});

async function signedIn(): Promise<RawClient> {
  const client = await RawClient.open(world.port);
  await client.signIn('agent-1', 'shop', await world.approval.token());
  return client;
}

const rowsOf = (messages: readonly RawMessage[]): readonly (readonly (string | null)[])[] =>
  cellsOf(messages).map((row) => row.map((value) => value?.toString('hex') ?? null));

const hex = (text: string): string => Buffer.from(text).toString('hex');

describe('results in binary form', () => {
  it('come to a driver that asks for them, masked as in text', async () => {
    const client = await world.connect();
    const query = {
      text: 'SELECT id, email, full_name, city FROM customers WHERE id < $1 ORDER BY id',
      values: [3],
    };
    const binary = await client.query({ ...query, binary: true } as pg.QueryConfig);
    const text = await client.query(query);
    await client.end();
    expect(binary.rows).toEqual(text.rows);
    expect(binary.rows[0]).toEqual({
      id: 1,
      email: surrogateOf(Buffer.from('person1@example.com')),
      full_name: 'hidden',
      city: 'City 1',
    });
  });

  it('come for the columns that ask for them', async () => {
    const client = await signedIn();
    const messages = await called(client, {
      text: "SELECT 1::int4, 2::int4, NULL::int4, '\\x00'::bytea",
      results: [1, 0, 1, 1],
    });
    expect(columnsOf(messages)).toEqual([
      [23, 1],
      [23, 0],
      [23, 1],
      [17, 1],
    ]);
    expect(rowsOf(messages)).toEqual([['00000001', hex('2'), null, '00']]);
    const wrong = await called(client, { text: 'SELECT 1', results: [1, 1] });
    expect(codeOf(wrong.find(({ type }) => type === 'E'))).toBe('target.failed');
    client.close();
  });

  it.each([
    ['text', [0]],
    ['binary', [1]],
  ] as const)(
    'tell what is replaced at release as text, and replace equal values equally: %s',
    async (_form, results) => {
      const client = await signedIn();
      const messages = await called(client, {
        text: 'SELECT points, email FROM customers WHERE id = 7',
        results,
      });
      expect(columnsOf(messages)).toEqual([
        [25, results[0]],
        [25, results[0]],
      ]);
      expect(rowsOf(messages)).toEqual([
        [hex(surrogateOf(Buffer.from('7'))), hex(surrogateOf(Buffer.from('person7@example.com')))],
      ]);
      client.close();
    },
  );

  it('are described for a portal that does not run', async () => {
    const client = await signedIn();
    client.message('P', '', 'SELECT points, email FROM customers', int16(0));
    client.message('B', '', '', int16(0, 0, 1, 1));
    client.message('D', Buffer.from('S'), '');
    client.message('D', Buffer.from('P'), '');
    client.message('S');
    const descriptions = (await client.until('Z')).filter(({ type }) => type === 'T');
    expect(descriptions.map((description) => columnsOf([description]))).toEqual([
      [
        [25, 0],
        [25, 0],
      ],
      [
        [25, 1],
        [25, 1],
      ],
    ]);
    client.close();
  });
});

describe('parameters in binary form', () => {
  it('reach the target as they are', async () => {
    const client = await signedIn();
    const messages = await called(client, {
      text: 'SELECT $1 + 1, $2, $3',
      types: [23, 25, 17],
      formats: [1, 0, 1],
      parameters: [int32(41), Buffer.from('text'), Buffer.from('00ff', 'hex')],
    });
    expect(rowsOf(messages)).toEqual([[hex('42'), hex('text'), hex('\\x00ff')]]);
    // One code for all, and a NULL.
    const all = await called(client, {
      text: 'SELECT $1::int4, $2::int4',
      types: [23, 23],
      formats: [1],
      parameters: [int32(7), null],
    });
    expect(rowsOf(all)).toEqual([[hex('7'), null]]);
    client.close();
  });

  it('of an ordinary driver are its buffers', async () => {
    const client = await world.connect();
    const { rows } = await client.query('SELECT $1::bytea AS b, $2::int AS n', [Buffer.from([0, 255]), 3]);
    await client.end();
    expect(rows).toEqual([{ b: Buffer.from([0, 255]), n: 3 }]);
  });

  it('that are not well-formed fail at the target, and tell nothing of themselves', async () => {
    const client = await signedIn();
    const parameters = [Buffer.from('zz-secret')];
    const messages = await called(client, { text: 'SELECT $1', types: [23], formats: [1], parameters });
    expect(codeOf(messages.find(({ type }) => type === 'E'))).toBe('target.failed');
    expect(Buffer.concat(messages.map(({ body }) => body)).toString()).not.toContain('zz-secret');
    const mixed = await called(client, {
      text: 'SELECT $1, $2',
      types: [17, 25],
      formats: [1, 0],
      parameters: [Buffer.from([0]), Buffer.from([0xff])],
    });
    expect(codeOf(mixed.find(({ type }) => type === 'E'))).toBe('statement.invalid_text');
    client.close();
  });

  it('are shown to the approver as what they are, and bound with their form', async () => {
    const client = await signedIn();
    const call = (format: number, type = 23): Call => ({
      text: 'DELETE FROM events RETURNING $1, $2, $3',
      types: [type, 600, 25],
      formats: [format, 1, 0],
      parameters: [Buffer.from('1234'), Buffer.alloc(16), Buffer.from('plain')],
    });
    for (const asked of [call(1), call(1), call(0), call(1, 25)]) {
      const messages = await called(client, asked);
      expect(codeOf(messages.find(({ type }) => type === 'E'))).toBe('approval.pending');
    }
    client.close();
    const kept = world.approval.approvals.slice(-3);
    // The same bytes in the same form twice are one approval; in another form or type they are others.
    expect(new Set(world.approval.approvals.map(({ binding }) => binding)).size).toBe(3);
    expect(kept.map(({ parameters }) => parameters.map(({ binary, shown }) => [binary, shown]))).toEqual([
      [
        [true, '825373492 (int4)'],
        [true, 'a value of type 600'],
        [false, ''],
      ],
      [
        [false, ''],
        [true, 'a value of type 600'],
        [false, ''],
      ],
      [
        [true, '1234 (text)'],
        [true, 'a value of type 600'],
        [false, ''],
      ],
    ]);
    expect(kept[0]?.parameters.map(({ value, type }) => [value.toString('hex'), type])).toEqual([
      [hex('1234'), 23],
      ['00'.repeat(16), 600],
      [hex('plain'), 25],
    ]);
  });

  it('are committed to with their form', async () => {
    const client = await signedIn();
    const text = 'SELECT $1';
    await called(client, { text, types: [23], formats: [1], parameters: [int32(7)] });
    client.message('X');
    await client.until('none');
    const decided = await waitUntil(async () =>
      (await world.events()).filter((event) => event.type === 'countersign.action.decided.v1').at(-1),
    );
    if (decided.type !== 'countersign.action.decided.v1') throw new Error('unreachable');
    const { session, action, submitted } = decided.data;
    const secret = await secretOf(world.folder, session, world.recipientPrivateKey);
    const statement = { kind: 'statement', text, parameterTypes: [23], purpose: 'run' } as const;
    const opened = (binary: boolean): string =>
      commitmentOf(
        saltOf(secret, action, 'submitted'),
        bytesOfSubmitted({
          ...statement,
          parameters: [int32(7)],
          ...(binary ? { binary: { formats: [1], shown: () => [] } } : {}),
        }),
      );
    expect(submitted).toBe(opened(true));
    expect(submitted).not.toBe(opened(false));
  });
});
