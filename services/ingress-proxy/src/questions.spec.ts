import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { waitUntil } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type AnyEvent,
  called,
  cellsOf,
  codeOf,
  columnsOf,
  int16,
  lettersOf,
  RawClient,
  type RawMessage,
  startWorld,
  statementsIn,
  type World,
} from './testing/index.js';

const main = fileURLToPath(new URL('main.js', import.meta.resolve('@countersign/cli')));

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

async function decided(): Promise<readonly Extract<AnyEvent, { type: 'countersign.action.decided.v1' }>[]> {
  return (await world.events()).filter(
    (event): event is Extract<AnyEvent, { type: 'countersign.action.decided.v1' }> =>
      event.type === 'countersign.action.decided.v1' && event.origin === 'agent',
  );
}

describe('SHOW countersign.last_decision', () => {
  const show = 'SHOW countersign.last_decision';
  const lastOf = (messages: readonly RawMessage[]): readonly (string | null)[] =>
    cellsOf(messages)[0]?.map((value) => value?.toString() ?? null) ?? [];

  it('tells what was decided on the last action, in band and from memory', async () => {
    const client = await signedIn();
    expect(lettersOf(await asked(client, show))).toBe('TCZ');
    await asked(client, 'SELECT id, email FROM customers WHERE id = 1');
    expect(lastOf(await asked(client, show)).slice(1)).toEqual([
      'modify',
      'policy',
      'role.masked',
      'contact.email',
      null,
      null,
    ]);
    await asked(client, "SELECT id FROM customers WHERE full_name = 'a'");
    const refused = lastOf(await asked(client, `  show COUNTERSIGN.Last_Decision ;`));
    expect(refused.slice(1)).toEqual([
      'deny',
      'masking',
      'role.masked',
      '',
      'masking.opaque_predicate',
      'Filter by city.',
    ]);
    await asked(client, 'SELECT 1/0');
    expect(lastOf(await asked(client, show)).slice(1, 6)).toEqual([
      'allow',
      'policy',
      'role.read',
      '',
      'target.failed',
    ]);
    client.close();
    // The actions are recorded, the questions are not, and neither reached the target.
    const events = await decided();
    expect(events.map(({ data }) => data.verdict)).toEqual(['modify', 'deny', 'allow']);
    expect(events[1]?.data.action).toBe(refused[0]);
    expect(statementsIn(world.postgres.logFile).filter(({ text }) => /last_decision/i.test(text))).toEqual(
      [],
    );
  });

  it('answers in a transaction that has failed, and in the extended protocol', async () => {
    const client = await signedIn();
    await asked(client, 'BEGIN');
    await asked(client, 'CREATE TABLE shop.t (a int)');
    const messages = await called(client, { text: show, results: [1] });
    expect([lettersOf(messages), messages.at(-1)?.body.toString(), lastOf(messages)[5]]).toEqual([
      '12TDCZ',
      'E',
      'policy.denied',
    ]);
    expect(new Set(columnsOf(messages).map(String))).toEqual(new Set(['25,1']));
    client.message('P', 's', show, int16(0));
    client.message('D', Buffer.from('S'), 's');
    client.message('S');
    expect(lettersOf(await client.until('Z'))).toBe('1tTZ');
    client.close();
  });

  it('says nothing of other sessions', async () => {
    const [first, second] = [await signedIn(), await signedIn()];
    await asked(first, 'SELECT 1');
    expect(lettersOf(await asked(second, show))).toBe('TCZ');
    first.close();
    second.close();
  });

  it('is no way around the rest of a text', async () => {
    const client = await signedIn();
    const messages = await asked(client, `${show}; DELETE FROM events`);
    expect(codeOf(messages.find(({ type }) => type === 'E'))).toBe('approval.pending');
    client.close();
  });
});

describe('EXPLAIN (COUNTERSIGN)', () => {
  const explained = (messages: readonly RawMessage[]): Record<string, unknown> =>
    JSON.parse(cellsOf(messages)[0]?.[0]?.toString() ?? 'null');

  it('tells facts, decision and what would run, recorded as a dry run', async () => {
    const client = await signedIn();
    const text = 'SELECT id, email FROM customers WHERE id = 4711';
    const messages = await asked(client, `EXPLAIN (COUNTERSIGN) ${text}`);
    expect(lettersOf(messages)).toBe('TDCZ');
    const told = explained(messages);
    expect(told).toMatchObject({
      verdict: 'modify',
      stage: 'policy',
      refusal: null,
      facts: { verbs: ['read'], objects: [{ name: 'shop.customers' }] },
      decision: { rules: ['role.masked'], obligations: { profile: 'analyst' } },
      rewrite: { masked: true, replaced: [{ column: 1, label: 'contact.email' }] },
    });
    client.close();
    const event = (await decided()).at(-1);
    expect(event).toMatchObject({
      mode: 'dryrun',
      data: { action: told.action, verdict: 'modify', running: null },
    });
    expect(JSON.stringify(event)).not.toContain('4711');
    const completed = (await world.events()).filter(
      ({ type, data }) =>
        type === 'countersign.action.completed.v1' && 'action' in data && data.action === told.action,
    );
    expect(completed).toEqual([]);
    expect(statementsIn(world.postgres.logFile).filter(({ text: ran }) => ran.includes('4711'))).toEqual([]);
  });

  it('asks no human, holds no transaction up and does not count in it', async () => {
    const client = await signedIn();
    const { hold } = world.approval.calls;
    expect(explained(await asked(client, 'EXPLAIN (COUNTERSIGN) DELETE FROM events'))).toMatchObject({
      verdict: 'step_up',
      refusal: null,
      rewrite: { text: 'DELETE FROM events' },
    });
    await asked(client, 'BEGIN');
    const told = explained(await asked(client, 'EXPLAIN (COUNTERSIGN) CREATE TABLE shop.t (a int)'));
    expect(told).toMatchObject({ verdict: 'deny', refusal: { code: 'policy.denied' }, rewrite: null });
    expect((await asked(client, 'SELECT 1')).at(-1)?.body.toString()).toBe('T');
    await asked(client, "INSERT INTO events (kind) VALUES ('explained')");
    expect(explained(await asked(client, 'EXPLAIN (COUNTERSIGN) DELETE FROM events'))).toMatchObject({
      refusal: { code: 'approval.in_transaction' },
    });
    await asked(client, 'ROLLBACK');
    client.message('X');
    await client.until('none');
    expect(world.approval.calls.hold).toBe(hold);
    // BEGIN, SELECT, INSERT, ROLLBACK.
    await waitUntil(async () =>
      (await world.events()).some(
        (event) => event.type === 'countersign.transaction.ended.v1' && event.data.actions === 4,
      ),
    );
  });

  it('answers a statement with parameters, and one that was only prepared', async () => {
    const client = await signedIn();
    const text = 'EXPLAIN (COUNTERSIGN) SELECT city FROM customers WHERE id = $1';
    const messages = await called(client, { text, types: [23], formats: [1], parameters: [int16(0, 7)] });
    expect(explained(messages)).toMatchObject({ verdict: 'allow', facts: { parameters: { count: 1 } } });
    client.message('P', 's', text, int16(0));
    client.message('D', Buffer.from('S'), 's');
    client.message('S');
    expect(lettersOf(await client.until('Z'))).toBe('1tTZ');
    client.close();
  });

  it('needs a grant like any action', async () => {
    world.approval.grants.set('grant-4', 2);
    const client = await signedIn({ grant: 'grant-4' });
    await asked(client, 'SELECT 1');
    world.approval.endGrant('grant-4');
    await waitUntil(async () => {
      const messages = await asked(client, 'EXPLAIN (COUNTERSIGN) SELECT 1');
      return codeOf(messages.find(({ type }) => type === 'E')) === 'grant.revoked';
    });
    expect(await client.until('none')).toEqual([]);
  });

  it('is what `countersign explain` asks', async () => {
    const token = await world.approval.token();
    const run = (
      ...words: readonly string[]
    ): Promise<{ readonly code: number; readonly out: string; readonly err: string }> =>
      new Promise((resolve) => {
        const env = {
          PATH: process.env.PATH,
          PGHOST: '127.0.0.1',
          PGPORT: String(world.port),
          PGDATABASE: 'shop',
          PGUSER: 'agent-1',
          PGPASSWORD: token,
        };
        execFile(process.execPath, [main, 'explain', ...words], { env }, (error, out, err) => {
          resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
        });
      });
    const read = await run('SELECT id, email FROM customers');
    expect([read.code, read.err]).toEqual([0, '']);
    expect(read.out).toMatch(/verdict +modify, decided by policy/);
    expect(read.out).toMatch(/labels +contact\.email \(shop\.customers\.email\)/);
    expect(read.out).toContain('this would run, masked');
    const denied = await run('CREATE TABLE shop.t (a int)', '--json');
    expect(denied.code).toBe(2);
    expect(JSON.parse(denied.out)).toMatchObject({ verdict: 'deny', refusal: { code: 'policy.denied' } });
    const held = await run('DELETE FROM events');
    expect([held.code, held.out]).toEqual([2, expect.stringContaining('step-up.unbounded-write')]);
    const wrong = await run('SELECT 1', '--url', `postgresql://agent-2@127.0.0.1:${world.port}/shop`);
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('subject')]);
    const nobody = await run('SELECT 1', '--url', 'postgresql://agent-1@127.0.0.1:1/shop');
    expect([nobody.code, nobody.err]).toEqual([1, expect.stringContaining('ECONNREFUSED')]);
  });
});
