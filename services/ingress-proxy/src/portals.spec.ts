import { waitUntil } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Cursor from 'pg-cursor';
import postgres from 'postgres';
import {
  type AnyEvent,
  bound,
  called,
  cellsOf,
  codeOf,
  columnsOf,
  executed,
  fieldOf,
  int16,
  lettersOf,
  RawClient,
  type RawMessage,
  startWorld,
  surrogateOf,
  unrecordedStatements,
  type World,
} from './testing/index.js';

let world: World;

beforeAll(async () => {
  world = await startWorld({ settings: { limits: { holdSeconds: 0 } } });
});

afterAll(async () => {
  await world?.stop();
});

async function signedIn(claims: Readonly<Record<string, unknown>> = {}): Promise<RawClient> {
  const client = await RawClient.open(world.port);
  await client.signIn('agent-1', 'shop', await world.approval.token(claims));
  return client;
}

async function asked(client: RawClient, text: string): Promise<readonly RawMessage[]> {
  client.message('Q', text);
  return client.until('Z');
}

/** One more portion of a portal, with a Sync behind it. */
async function portion(client: RawClient, portal: string, rows: number): Promise<readonly RawMessage[]> {
  executed(client, portal, rows);
  client.message('S');
  return client.until('Z');
}

const textsOf = (messages: readonly RawMessage[]): readonly (string | null)[] =>
  cellsOf(messages).map(([value]) => value?.toString() ?? null);
const errorIn = (messages: readonly RawMessage[]): string =>
  codeOf(messages.find(({ type }) => type === 'E'));

async function ended(client: RawClient): Promise<void> {
  client.message('X');
  await client.until('none');
}

/** Events of the last session that has ended, once its end is recorded. */
async function lastSession(): Promise<readonly AnyEvent[]> {
  const sessions = async (): Promise<readonly AnyEvent[]> =>
    (await world.events()).filter((event) => event.origin === 'agent');
  return waitUntil(async () => {
    const events = await sessions();
    const opened = events.filter((event) => event.type === 'countersign.session.opened.v1').at(-1);
    const own = events.filter((event) => event.correlationid === opened?.correlationid);
    return own.some((event) => event.type === 'countersign.session.ended.v1') ? own : null;
  });
}

const decisionsIn = (events: readonly AnyEvent[]) =>
  events.flatMap((event) => (event.type === 'countersign.action.decided.v1' ? [event.data] : []));
const outcomesIn = (events: readonly AnyEvent[]) =>
  events.flatMap((event) => (event.type === 'countersign.action.completed.v1' ? [event.data] : []));

const NUMBERS = 'SELECT generate_series(1, 10)::text';

describe('rows in portions', () => {
  it('within a transaction are one action, whatever runs between them', async () => {
    const client = await signedIn();
    await asked(client, 'BEGIN');
    const first = await called(client, { text: NUMBERS, portal: 'C_1', maximumRows: 4 });
    expect(lettersOf(first)).toBe('12TDsZ');
    const other = await asked(client, "INSERT INTO events (kind) VALUES ('between')");
    expect(lettersOf(other)).toBe('CZ');
    const second = await portion(client, 'C_1', 4);
    const third = await portion(client, 'C_1', 4);
    expect([lettersOf(second), lettersOf(third)]).toEqual(['DsZ', 'DCZ']);
    expect([first, second, third].map((messages) => textsOf(messages).join(' '))).toEqual([
      '1 2 3 4',
      '5 6 7 8',
      '9 10',
    ]);
    expect(errorIn(await portion(client, 'C_1', 4))).toBe('protocol.out_of_order');
    await asked(client, 'COMMIT');
    await ended(client);
    const events = await lastSession();
    // BEGIN, the portal, the insert, COMMIT.
    expect(decisionsIn(events).map(({ ordinal }) => ordinal)).toEqual([0, 1, 2, 3]);
    const portal = decisionsIn(events)[1];
    const outcomes = outcomesIn(events).filter(({ action }) => action === portal?.action);
    expect(outcomes).toMatchObject([{ status: 'succeeded', rows: 10, transaction: portal?.transaction }]);
    expect(portal?.transaction).toMatchObject({ ordinal: 1 });
  });

  it('outside of one last until the Sync, as many as are asked for with Flush', async () => {
    const client = await signedIn();
    bound(client, { text: NUMBERS });
    client.message('D', Buffer.from('P'), '');
    executed(client, '', 3);
    client.message('H');
    expect(lettersOf(await client.until('s'))).toBe('12TDs');
    executed(client, '', 3);
    client.message('H');
    expect(textsOf(await client.until('s'))).toEqual(['4', '5', '6']);
    // Described between its portions, it says what it said before.
    client.message('D', Buffer.from('P'), '');
    executed(client, '', 0);
    client.message('S');
    const last = await client.until('Z');
    expect([lettersOf(last), textsOf(last), columnsOf(last)]).toEqual([
      'TDCZ',
      ['7', '8', '9', '10'],
      [[25, 0]],
    ]);
    await ended(client);
    expect(outcomesIn(await lastSession())).toMatchObject([{ status: 'succeeded', rows: 10 }]);
  });

  it('are cut off by the Sync, and the portal is gone', async () => {
    const client = await signedIn();
    const cut = await called(client, { text: NUMBERS, portal: 'p', maximumRows: 3 });
    expect([lettersOf(cut), cut.at(-1)?.body.toString()]).toEqual(['12TDsZ', 'I']);
    expect(errorIn(await portion(client, 'p', 3))).toBe('protocol.out_of_order');
    await ended(client);
    expect(outcomesIn(await lastSession())).toMatchObject([{ status: 'succeeded', rows: 3 }]);
  });

  it('end where the agent closes them, or gives their name away', async () => {
    const client = await signedIn();
    await asked(client, 'BEGIN');
    await called(client, { text: NUMBERS, portal: 'a', maximumRows: 2 });
    await called(client, { text: NUMBERS, maximumRows: 2 });
    client.message('C', Buffer.from('P'), 'a');
    client.message('S');
    expect(lettersOf(await client.until('Z'))).toBe('3Z');
    const again = await called(client, { text: "SELECT 'unnamed'", maximumRows: 2 });
    expect([lettersOf(again), textsOf(again)]).toEqual(['12TDCZ', ['unnamed']]);
    await called(client, { text: NUMBERS, portal: 'lives', maximumRows: 2 });
    await asked(client, 'ROLLBACK');
    expect(errorIn(await portion(client, 'lives', 2))).toBe('protocol.out_of_order');
    await ended(client);
    const outcomes = outcomesIn(await lastSession());
    expect(outcomes.map(({ status, rows }) => [status, rows])).toEqual([
      ['succeeded', 0],
      ['succeeded', 2],
      ['succeeded', 2],
      ['succeeded', 1],
      ['succeeded', 0],
      ['succeeded', 2],
    ]);
    expect(await openPortals()).toBe(0);
  });

  it('have an outcome when the agent leaves in between', async () => {
    const client = await signedIn();
    await asked(client, 'BEGIN');
    await called(client, { text: NUMBERS, portal: 'a', maximumRows: 2 });
    client.close();
    expect(outcomesIn(await lastSession()).at(-1)).toMatchObject({
      status: 'refused',
      error: 'rpc.cancelled',
      rows: 2,
    });
  });

  it('are masked and replaced in every portion', async () => {
    const client = await signedIn();
    await asked(client, 'BEGIN');
    const text = 'SELECT id, email FROM customers ORDER BY id';
    const first = await called(client, { text, portal: 'm', maximumRows: 2, results: [1] });
    const second = await portion(client, 'm', 1);
    expect(
      [...cellsOf(first), ...cellsOf(second)].map(([id, email]) => [id?.readInt32BE(0), email?.toString()]),
    ).toEqual([1, 2, 3].map((id) => [id, surrogateOf(Buffer.from(`person${id}@example.com`))]));
    client.close();
  });

  it('answer a batch of portions, and an error in the middle', async () => {
    const client = await signedIn();
    bound(client, { text: 'SELECT 6 / (3 - generate_series(1, 5))' });
    executed(client, '', 1);
    executed(client, '', 1);
    executed(client, '', 1);
    client.message('S');
    const messages = await client.until('Z');
    expect([lettersOf(messages), errorIn(messages)]).toEqual(['12DsDsEZ', 'target.failed']);
    expect(lettersOf(await asked(client, 'SELECT 1'))).toBe('TDCZ');
    client.close();
  });

  it('of a statement that gives none end at once', async () => {
    const client = await signedIn();
    const insert = "INSERT INTO events (kind) VALUES ('limited')";
    expect(lettersOf(await called(client, { text: insert, maximumRows: 1 }))).toBe('12nCZ');
    expect(lettersOf(await called(client, { text: ' ', maximumRows: 1 }))).toBe('12nIZ');
    expect(errorIn(await called(client, { text: 'SELECT nothing', maximumRows: 1 }))).toBe('target.failed');
    expect(lettersOf(await asked(client, 'SELECT 1'))).toBe('TDCZ');
    client.close();
  });
});

describe('a portal that waits', () => {
  it('gives no more once the grant has ended', async () => {
    world.approval.grants.set('grant-3', 2);
    const client = await signedIn({ grant: 'grant-3' });
    await asked(client, 'BEGIN');
    await called(client, { text: 'SELECT generate_series(1, 100000)', portal: 'a', maximumRows: 2 });
    world.approval.endGrant('grant-3');
    let last: readonly RawMessage[] = [];
    await waitUntil(async () => {
      executed(client, 'a', 1);
      client.message('S');
      last = await client.until('Z');
      return errorIn(last) !== '';
    });
    expect([errorIn(last), lettersOf(last)]).toEqual(['grant.revoked', 'E']);
    expect(outcomesIn(await lastSession()).at(-1)).toMatchObject({
      status: 'refused',
      error: 'grant.revoked',
    });
  });

  it('gives no more in a transaction in which something was refused', async () => {
    const client = await signedIn();
    await asked(client, 'BEGIN');
    await called(client, { text: NUMBERS, portal: 'a', maximumRows: 2 });
    expect(errorIn(await asked(client, 'CREATE TABLE shop.t (a int)'))).toBe('policy.denied');
    const refused = await portion(client, 'a', 2);
    expect([errorIn(refused), refused.at(-1)?.body.toString()]).toEqual([
      'statement.transaction_failed',
      'E',
    ]);
    expect((await asked(client, 'ROLLBACK')).at(-1)?.body.toString()).toBe('I');
    client.close();
  });
});

describe('limits', () => {
  it('of rows hold over all portions', async () => {
    const client = await signedIn({ role: 'limited' });
    await asked(client, 'BEGIN');
    const first = await called(client, { text: NUMBERS, portal: 'a', maximumRows: 2 });
    const second = await portion(client, 'a', 2);
    expect([textsOf(first), textsOf(second), errorIn(second)]).toEqual([
      ['1', '2'],
      ['3'],
      'release.row_limit',
    ]);
    await asked(client, 'ROLLBACK');
    const exact = await called(client, { text: NUMBERS, maximumRows: 3 });
    expect(lettersOf(exact)).toBe('12TDsZ');
    client.close();
  });

  it('of time hold over all portions', async () => {
    const client = await signedIn({ role: 'timed' });
    await asked(client, 'BEGIN');
    // A tenth of a second for each row, and three tenths in all.
    const text = 'SELECT pg_sleep(0.1) FROM generate_series(1, 50)';
    let answer = await called(client, { text, portal: 'a', maximumRows: 1 });
    let portions = 0;
    while (answer.some(({ type }) => type === 's')) {
      answer = await portion(client, 'a', 1);
      portions += 1;
    }
    expect([errorIn(answer), portions < 4]).toEqual(['release.time_limit', true]);
    client.close();
  });
});

describe('an implicit transaction', () => {
  const kinds = async (kind: string): Promise<number> => {
    const { rows } = await world.owner.query('SELECT count(*)::int AS n FROM shop.events WHERE kind = $1', [
      kind,
    ]);
    return rows[0].n as number;
  };
  const writing = (kind: string): string =>
    `INSERT INTO events (kind) SELECT '${kind}' FROM generate_series(1, 5) RETURNING kind`;

  it('commits what wrote and was not read to its end', async () => {
    const client = await signedIn();
    expect(lettersOf(await called(client, { text: writing('kept'), maximumRows: 2 }))).toBe('12TDsZ');
    expect(await kinds('kept')).toBe(5);
    client.close();
  });

  it('takes no second action, and is rolled back with what it had', async () => {
    const client = await signedIn();
    bound(client, { text: writing('undone') });
    executed(client, '', 2);
    client.message('H');
    await client.until('s');
    bound(client, { text: "SELECT 'second'", portal: 'second' });
    executed(client, 'second');
    client.message('S');
    const messages = await client.until('Z');
    expect([errorIn(messages), messages.at(-1)?.body.toString()]).toEqual(['protocol.unsupported', 'I']);
    expect(await kinds('undone')).toBe(0);
    expect(lettersOf(await asked(client, 'SELECT 1'))).toBe('TDCZ');
    await ended(client);
    expect(outcomesIn(await lastSession())[0]).toMatchObject({
      status: 'failed',
      error: 'statement.transaction_failed',
      rows: 2,
    });
  });

  it('is undone when the agent leaves before the Sync', async () => {
    const client = await signedIn();
    bound(client, { text: writing('left') });
    executed(client, '', 2);
    client.message('H');
    await client.until('s');
    client.close();
    await lastSession();
    expect(await kinds('left')).toBe(0);
  });
});

describe('a cancellation', () => {
  it('stops a portion, and not a portal that waits', async () => {
    const client = await signedIn();
    await asked(client, 'BEGIN');
    const text =
      'SELECT CASE WHEN n > 2 THEN pg_sleep(60)::text ELSE n::text END FROM generate_series(1, 5) n';
    await called(client, { text, portal: 'a', maximumRows: 1 });
    await RawClient.cancel(world.port, client.cancelKey);
    expect(lettersOf(await portion(client, 'a', 1))).toBe('DsZ');
    executed(client, 'a', 1);
    client.message('S');
    await waitUntil(async () => {
      const { rows } = await world.owner.query(
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event = 'PgSleep'",
      );
      return rows[0].n === 1;
    });
    await RawClient.cancel(world.port, client.cancelKey);
    const stopped = await client.until('Z');
    expect([
      errorIn(stopped),
      fieldOf(
        stopped.find(({ type }) => type === 'E'),
        'C',
      ),
    ]).toEqual(['rpc.cancelled', '57014']);
    client.close();
  });
});

describe('ordinary drivers', () => {
  it('read with pg-cursor', async () => {
    const client = await world.connect();
    const cursor = client.query(new Cursor('SELECT id FROM customers ORDER BY id'));
    const portions = [await cursor.read(3), await cursor.read(2)];
    await cursor.close();
    const { rows } = await client.query('SELECT 1 AS one');
    await client.end();
    expect([portions, rows]).toEqual([
      [
        [{ id: 1 }, { id: 2 }, { id: 3 }],
        [{ id: 4 }, { id: 5 }],
      ],
      [{ one: 1 }],
    ]);
  });

  it('read and cancel with postgres.js', async () => {
    const sql = postgres({
      host: '127.0.0.1',
      port: world.port,
      user: 'agent-1',
      database: 'shop',
      password: await world.approval.token(),
      max: 1,
      fetch_types: false,
      onnotice: () => undefined,
    });
    const portions: number[][] = [];
    await sql`SELECT id FROM customers WHERE id <= ${5} ORDER BY id`.cursor(2, (rows) => {
      portions.push(rows.map(({ id }) => id));
    });
    const [row] = await sql`SELECT ${Buffer.from([0, 255])}::bytea AS b, ${true}::bool AS t`;
    const sleeping = sql`SELECT pg_sleep(61)`.execute();
    await waitUntil(async () => {
      const { rows } = await world.owner.query(
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE query LIKE '%pg_sleep(61)%' AND wait_event = 'PgSleep'",
      );
      return rows[0].n === 1;
    });
    sleeping.cancel();
    await expect(sleeping).rejects.toMatchObject({ code: '57014', routine: 'rpc.cancelled' });
    const transaction = await sql.begin(async (inside) => [
      ...(await inside`INSERT INTO events (kind) VALUES (${'js'}) RETURNING kind`),
    ]);
    await sql.end();
    expect([portions, row, transaction]).toEqual([
      [[1, 2], [3, 4], [5]],
      { b: Buffer.from([0, 255]), t: true },
      [{ kind: 'js' }],
    ]);
  });

  it('read as JDBC does with a fetch size: BEGIN and the first portion in one batch', async () => {
    const client = await signedIn();
    client.message('P', '', 'BEGIN', int16(0));
    client.message('B', '', '', int16(0, 0, 0));
    executed(client);
    client.message(
      'P',
      'S_1',
      'SELECT id FROM customers WHERE id <= $1 ORDER BY id',
      int16(1),
      Buffer.from('00000017', 'hex'),
    );
    client.message('B', 'C_2', 'S_1', int16(1, 1, 1), Buffer.from('0000000400000003', 'hex'), int16(1, 1));
    client.message('D', Buffer.from('P'), 'C_2');
    executed(client, 'C_2', 2);
    client.message('S');
    const first = await client.until('Z');
    const second = await portion(client, 'C_2', 2);
    expect([lettersOf(first), lettersOf(second)]).toEqual(['12C12TDsZ', 'DCZ']);
    expect([...cellsOf(first), ...cellsOf(second)].map(([id]) => id?.readInt32BE(0))).toEqual([1, 2, 3]);
    client.close();
  });
});

describe("the target's own log", () => {
  it('has no statement without a decision', async () => {
    expect(await unrecordedStatements(world)).toEqual([]);
  });
});

async function openPortals(): Promise<number> {
  const { rows } = await world.owner.query(
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'",
  );
  return rows[0].n as number;
}
