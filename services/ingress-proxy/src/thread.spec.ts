import { commitmentOf } from '@countersign/contracts';
import { waitUntil } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { bytesOfSubmitted, saltOf } from './gate/index.js';
import {
  type AnyEvent,
  secretOf,
  startWorld,
  statementsIn,
  surrogateOf,
  unrecordedStatements,
  type World,
} from './testing/index.js';

let world: World;

beforeAll(async () => {
  world = await startWorld({ settings: { limits: { holdSeconds: 1, noticeSeconds: 0.2 } } });
});

afterAll(async () => {
  await world?.stop();
});

type Decided = Extract<AnyEvent, { type: 'countersign.action.decided.v1' }>;

async function decisionsOf(session: string): Promise<readonly Decided[]> {
  const events = await world.events();
  return events.filter(
    (event): event is Decided =>
      event.type === 'countersign.action.decided.v1' && event.data.session === session,
  );
}

async function sessionOf(client: pg.Client): Promise<string> {
  // The name of the session is the pinned application name, which every agent is told at the start.
  const { rows } = await client.query<{ name: string }>("SELECT current_setting('application_name') AS name");
  return rows[0]?.name.replace('countersign/', '') ?? '';
}

async function failure(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    const { code, message, detail, hint, routine, severity } = error as pg.DatabaseError;
    return { code, message, detail, hint, routine, severity };
  }
  return { code: 'it worked' };
}

describe('reading', () => {
  it('lets a plain read through, and records it before and after', async () => {
    const client = await world.connect();
    const session = await sessionOf(client);
    const { rows } = await client.query('SELECT id, city FROM customers ORDER BY id LIMIT 2');
    await client.end();
    expect(rows).toEqual([
      { id: 1, city: 'City 1' },
      { id: 2, city: 'City 2' },
    ]);
    await waitUntil(async () => (await world.events()).some((event) => isEnd(event, session)));
    const own = (await world.events()).filter((event) => event.correlationid === session);
    expect(own.map((event) => event.type.replace('countersign.', ''))).toEqual([
      'session.opened.v1',
      'facts.described.v1',
      'action.decided.v1',
      'action.completed.v1',
      'facts.described.v1',
      'action.decided.v1',
      'action.completed.v1',
      'session.ended.v1',
    ]);
    const [, second] = await decisionsOf(session);
    expect(second?.data).toMatchObject({
      verdict: 'allow',
      stage: 'policy',
      ordinal: 1,
      refusal: null,
      transaction: null,
      objects: ['shop.customers'],
      decision: { rules: ['role.read'] },
    });
  });

  it('masks in the database and at release', async () => {
    const client = await world.connect();
    const { rows, fields } = await client.query(
      'SELECT id, email, full_name FROM customers WHERE id < $1 ORDER BY id',
      [3],
    );
    await client.end();
    expect(rows).toEqual([
      { id: 1, email: surrogateOf(Buffer.from('person1@example.com')), full_name: 'hidden' },
      { id: 2, email: surrogateOf(Buffer.from('person2@example.com')), full_name: 'hidden' },
    ]);
    expect(fields.map(({ name, tableID, columnID }) => ({ name, tableID, columnID }))).toEqual([
      { name: 'id', tableID: 0, columnID: 0 },
      { name: 'email', tableID: 0, columnID: 0 },
      { name: 'full_name', tableID: 0, columnID: 0 },
    ]);
  });

  it('keeps NULL NULL, empty answers empty, and comments harmless', async () => {
    const client = await world.connect();
    const nothing = await client.query('SELECT id, email FROM customers WHERE id < 0');
    const empty = await client.query('  ;; ');
    const { rows } = await client.query('SELECT NULL::text AS a, $1::text AS b', [null]);
    await client.end();
    expect([nothing.rows, nothing.fields.length, empty.command, rows]).toEqual([
      [],
      2,
      null,
      [{ a: null, b: null }],
    ]);
  });

  it('decides a prepared statement anew at each execution', async () => {
    const client = await world.connect();
    const session = await sessionOf(client);
    const query = { name: 'by-id', text: 'SELECT city FROM customers WHERE id = $1' };
    for (const id of [1, 2, 3]) await client.query({ ...query, values: [id] });
    await client.end();
    expect((await decisionsOf(session)).length).toBe(4);
  });

  it('streams a large answer', async () => {
    const client = await world.connect();
    const { rows } = await client.query("SELECT n, repeat('x', 200) AS x FROM generate_series(1, 50000) n");
    await client.end();
    expect([rows.length, rows[49_999].n]).toEqual([50_000, 50_000]);
  });

  it('asks nobody in steady state, and asks again when something changes', async () => {
    const client = await world.connect();
    const read = (): Promise<unknown> => client.query('SELECT count(*) FROM customers');
    await read();
    const before = { ...world.masking.calls };
    for (let count = 0; count < 20; count += 1) await read();
    expect(world.masking.calls).toEqual(before);
    world.masking.version += 1;
    world.masking.watchers.send({ target: 'shop', contextDigest: 'sha256:other' });
    await waitUntil(async () => {
      await read();
      return world.masking.calls.inspect > before.inspect;
    });
    const loaded = world.masking.loaded.get('shop') ?? '';
    world.masking.watchers.send({ target: 'shop', contextDigest: loaded });
    await client.end();
  });
});

describe('a change of structure', () => {
  it('has the catalogue read again before the agent goes on', async () => {
    const client = await world.connect({ claims: { role: 'builder' } });
    const { load } = world.masking.calls;
    // The gateway's role may not, which the gate does not know.
    const refused = await failure(client.query('CREATE TABLE shop.more (a int)'));
    await client.query('SELECT 1');
    await client.end();
    expect([refused.code, refused.routine]).toEqual(['42501', 'target.failed']);
    expect(world.masking.calls.load).toBe(load + 1);
  });
});

describe('refusing', () => {
  const refusals: readonly (readonly [string, string, string, string, string])[] = [
    ['what policy denies', 'CREATE TABLE shop.t (a int)', '42501', 'policy.denied', 'policy'],
    ['what policy defers', 'TRUNCATE shop.events', '55P03', 'policy.deferred', 'policy'],
    ['what cannot be parsed', 'SELECT syntax error', '42601', 'statement.unparsable', 'policy'],
    [
      'what masking refuses',
      "SELECT id, email FROM customers WHERE full_name = 'a'",
      '42501',
      'masking.opaque_predicate',
      'masking',
    ],
  ];

  it.each(refusals)('refuses %s', async (_what, sql, sqlstate, code, stage) => {
    const client = await world.connect();
    const session = await sessionOf(client);
    const simple = await failure(client.query(sql));
    const extended = await failure(client.query({ text: sql, values: [], name: 'again' }));
    await client.query('SELECT 1');
    await client.end();
    expect(simple).toMatchObject({ code: sqlstate, routine: code, severity: 'ERROR' });
    expect(extended).toMatchObject({ code: sqlstate, routine: code });
    const [, first, second] = await decisionsOf(session);
    for (const decided of [first, second]) {
      expect(decided?.data).toMatchObject({ stage, refusal: code, running: null });
      expect(['deny', 'defer']).toContain(decided?.data.verdict);
    }
  });

  it('fails an open transaction like an error of the target', async () => {
    const client = await world.connect();
    const session = await sessionOf(client);
    await client.query('BEGIN');
    await client.query("INSERT INTO events (kind) VALUES ('never')");
    await failure(client.query('CREATE TABLE shop.t (a int)'));
    const blocked = await failure(client.query('SELECT 1'));
    const commit = await failure(client.query('COMMIT'));
    await client.query('ROLLBACK');
    const { rows } = await client.query("SELECT count(*)::int AS n FROM events WHERE kind = 'never'");
    await client.end();
    expect([blocked.routine, commit.routine, rows[0].n]).toEqual([
      'statement.transaction_failed',
      'statement.transaction_failed',
      0,
    ]);
    await waitUntil(async () => (await world.events()).some((event) => isEnd(event, session)));
    const ended = (await world.events()).filter(
      (event) => event.type === 'countersign.transaction.ended.v1' && event.correlationid === session,
    );
    expect(ended.map((event) => event.data)).toMatchObject([{ result: 'rolled-back', actions: 6 }]);
  });

  it('lets a savepoint heal what was refused after it', async () => {
    const client = await world.connect();
    await client.query('BEGIN');
    await client.query('SAVEPOINT s');
    await failure(client.query('CREATE TABLE shop.t (a int)'));
    await client.query('ROLLBACK TO s');
    await client.query("INSERT INTO events (kind) VALUES ('healed')");
    await client.query('COMMIT');
    const { rows } = await client.query("DELETE FROM events WHERE kind = 'healed' RETURNING kind");
    await client.end();
    expect(rows).toEqual([{ kind: 'healed' }]);
  });
});

describe('holding for a human', () => {
  const risky = 'DELETE FROM events';

  it('waits, says so, and runs once approved', async () => {
    const client = await world.connect();
    const session = await sessionOf(client);
    const notices: string[] = [];
    client.on('notice', (notice) => {
      notices.push(notice.message ?? '');
      const id = /approval ([0-9a-f-]+)/.exec(notice.message ?? '')?.[1];
      if (id !== undefined && notices.length === 2) world.approval.answer(id, 'approved');
    });
    const { rowCount } = await client.query(risky);
    await client.end();
    expect(rowCount).toBe(20);
    expect(notices.length).toBeGreaterThanOrEqual(2);
    const [, asked, ran] = await decisionsOf(session);
    expect(asked?.data).toMatchObject({ verdict: 'step_up', running: null, approval: null });
    expect(ran?.data).toMatchObject({
      action: asked?.data.action,
      ordinal: asked?.data.ordinal,
      verdict: 'allow',
      approval: { approver: 'person-2' },
    });
    expect(ran?.data.running).not.toBeNull();
  });

  it('ends in pending, and runs when submitted again on another connection after the answer', async () => {
    const first = await world.connect();
    const session = await sessionOf(first);
    const pending = await failure(first.query(risky));
    await first.end();
    const id = /Its id is ([0-9a-f-]+)/.exec(String(pending.message))?.[1] ?? '';
    expect(pending).toMatchObject({ code: '55P03', routine: 'approval.pending' });
    const last = (await decisionsOf(session)).at(-1);
    expect(last?.data).toMatchObject({ verdict: 'defer', stage: 'approval', refusal: 'approval.pending' });
    world.approval.answer(id, 'approved');

    const second = await world.connect();
    await second.query(risky);
    const other = await failure(second.query(`${risky} `));
    const again = await failure(second.query(risky));
    await second.end();
    expect([other.routine, again.routine]).toEqual(['approval.pending', 'approval.pending']);
  });

  it('refuses what a human denied', async () => {
    const client = await world.connect();
    client.on('notice', (notice) => {
      const id = /approval ([0-9a-f-]+)/.exec(notice.message ?? '')?.[1];
      if (id !== undefined) world.approval.answer(id, 'denied');
    });
    const denied = await failure(client.query(`${risky} -- denied`));
    await client.end();
    expect(denied).toMatchObject({ code: '42501', routine: 'approval.denied' });
  });

  it('does not wait inside a transaction that has written', async () => {
    const client = await world.connect();
    await client.query('BEGIN');
    await client.query("INSERT INTO events (kind) VALUES ('x')");
    const refused = await failure(client.query(`${risky} -- in a transaction`));
    await client.query('ROLLBACK');
    await client.end();
    expect(refused).toMatchObject({ code: '25001', routine: 'approval.in_transaction' });
  });

  it('does not wait for an agent that has left', async () => {
    const client = await world.connect();
    const session = await sessionOf(client);
    const waits = new Promise((resolve) => client.once('notice', resolve));
    const left = client.query(`${risky} -- and leaves`).catch(() => undefined);
    await waits;
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    await left;
    await waitUntil(async () => (await world.events()).some((event) => isEnd(event, session)));
    const last = (await decisionsOf(session)).at(-1);
    expect(last?.data).toMatchObject({ verdict: 'defer', refusal: 'approval.pending', running: null });
  });

  it('refuses what policy of another version approved', async () => {
    const client = await world.connect();
    client.on('notice', (notice) => {
      const id = /approval ([0-9a-f-]+)/.exec(notice.message ?? '')?.[1];
      if (id === undefined) return;
      world.policy.activate(`policy of ${id}`);
      world.approval.answer(id, 'approved');
    });
    const refused = await failure(client.query(`${risky} -- another policy`));
    await client.end();
    expect(refused.routine).toBe('approval.other_action');
    expect(world.approval.approvals.at(-1)?.approval.status).toBe(2);
  });
});

describe('errors of the target', () => {
  const errors: readonly (readonly [string, string])[] = [
    ["INSERT INTO customers VALUES (1, 'zz-secret@example.com', 'Zz Secret', 'x')", '23505'],
    ["INSERT INTO customers VALUES (9001, 'person1@example.com', 'Zz Secret', 'x')", '23505'],
    ["INSERT INTO customers VALUES (9002, 'a', 'Zz Secret', 'x', -1)", '23514'],
    ["SELECT 'zz-secret'::int", '22P02'],
    ['SELECT zz_secret_column FROM customers', '42703'],
    ['SELECT * FROM zz_secret_table', '42P01'],
    ['SELECT 1/0', '22012'],
    ["SELECT pg_read_file('zz-secret')", '42501'],
  ];

  it.each(errors)('scrubs that of %s', async (sql, sqlstate) => {
    const client = await world.connect();
    let received = '';
    (client as unknown as { connection: { stream: NodeJS.ReadableStream } }).connection.stream.on(
      'data',
      (chunk) => {
        received += String(chunk);
      },
    );
    const simple = await failure(client.query(sql));
    const extended = await failure(client.query({ text: sql, name: 'x' }));
    await client.end();
    expect(simple).toMatchObject({ code: sqlstate, routine: 'target.failed' });
    expect(extended).toMatchObject({ code: sqlstate, routine: 'target.failed' });
    expect(received).not.toMatch(/zz.secret|person1@/i);
  });

  it('drops notices', async () => {
    const client = await world.connect();
    const notices: unknown[] = [];
    client.on('notice', (notice) => notices.push(notice));
    await client.query('SELECT shop.noisy()');
    await client.end();
    expect(notices).toEqual([]);
  });

  it('ends a session in which a pinned setting was changed', async () => {
    const client = await world.connect();
    const ended = await failure(client.query("SELECT set_config('client_encoding', 'LATIN1', false)"));
    expect(ended.routine ?? 'ended').toMatch(/protocol.unsupported|ended/);
    expect((await failure(client.query('SELECT 1'))).code).not.toBe('it worked');
  });
});

describe('obligations', () => {
  it('stops at the row limit', async () => {
    const client = await world.connect({ claims: { role: 'limited' } });
    const session = await sessionOf(client);
    const rows: unknown[] = [];
    const query = 'SELECT id FROM customers ORDER BY id';
    const stopped = await failure(client.query(query).then((result) => rows.push(...result.rows)));
    const { rows: three } = await client.query(`${query} LIMIT 3`);
    await client.end();
    expect([stopped.code, stopped.routine, three.length]).toEqual(['54000', 'release.row_limit', 3]);
    await waitUntil(async () => (await world.events()).some((event) => isEnd(event, session)));
    const outcomes = (await world.events()).filter(
      (event) => event.type === 'countersign.action.completed.v1' && event.correlationid === session,
    );
    expect(outcomes[1]?.data).toMatchObject({ status: 'refused', error: 'release.row_limit', rows: 3 });
  });

  it('cancels at the time limit, as an action of the gateway', async () => {
    const client = await world.connect({ claims: { role: 'timed' } });
    const started = Date.now();
    const stopped = await failure(client.query('SELECT pg_sleep(20)'));
    await client.query('SELECT 1');
    await client.end();
    expect([stopped.code, stopped.routine]).toEqual(['57014', 'release.time_limit']);
    expect(Date.now() - started).toBeLessThan(3_000);
  });
});

describe('commitments', () => {
  it('open with the sealed secret of the session, and with nothing else', async () => {
    const client = await world.connect();
    const session = await sessionOf(client);
    const text = 'SELECT city FROM customers WHERE id = $1';
    await client.query(text, ['7']);
    await client.end();
    await waitUntil(async () => (await world.events()).some((event) => isEnd(event, session)));
    const key = await secretOf(world.folder, session, world.recipientPrivateKey);
    const decided = (await decisionsOf(session)).at(-1)?.data;
    const action = decided?.action ?? '';
    const submitted = bytesOfSubmitted({
      kind: 'statement',
      text,
      parameterTypes: [],
      parameters: [Buffer.from('7')],
      purpose: 'run',
    });
    expect(decided?.submitted).toBe(commitmentOf(saltOf(key, action, 'submitted'), submitted));
    expect(decided?.running).toBe(commitmentOf(saltOf(key, action, 'running'), text));
  });
});

describe("the target's own log", () => {
  it('has no statement without a decision, catalogue readings included', async () => {
    expect(statementsIn(world.postgres.logFile).length).toBeGreaterThan(60);
    expect(await unrecordedStatements(world)).toEqual([]);
  });

  it('and the events hold no value that was sent or read', async () => {
    const text = JSON.stringify(await world.events());
    expect(text).not.toMatch(/zz-secret|example\.com|gateway password|Sample Person|eyJ/i);
  });
});

function isEnd(event: AnyEvent, session: string): boolean {
  return event.type === 'countersign.session.ended.v1' && event.data.session === session;
}
