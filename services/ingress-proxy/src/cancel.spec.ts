import { waitUntil } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { commitToRunning } from './gate/index.js';
import {
  codeOf,
  fieldOf,
  RawClient,
  type RawMessage,
  secretOf,
  startWorld,
  type World,
} from './testing/index.js';

let world: World;

beforeAll(async () => {
  world = await startWorld({ settings: { limits: { holdSeconds: 60, noticeSeconds: 0.2 } } });
});

afterAll(async () => {
  await world?.stop();
});

async function signedIn(): Promise<RawClient> {
  const client = await RawClient.open(world.port);
  await client.signIn('agent-1', 'shop', await world.approval.token());
  return client;
}

/** How many statements with this text run at the target. */
async function running(text: string): Promise<number> {
  const { rows } = await world.owner.query(
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'active' AND query = $1",
    [text],
  );
  return rows[0].n as number;
}

const errorIn = (messages: readonly RawMessage[]): RawMessage | undefined =>
  messages.find(({ type }) => type === 'E');

async function outcomes(): Promise<string> {
  return world.metrics.registry.getSingleMetricAsString('countersign_ingress_cancel_requests_total');
}

const unknownIn = (text: string): number => Number(/outcome="unknown".*? (\d+)$/m.exec(text)?.[1] ?? 0);

/** How many actions of the gateway itself committed to exactly this text. */
async function systemActionsThatRan(text: string): Promise<number> {
  let count = 0;
  for (const event of await world.events()) {
    if (event.type !== 'countersign.action.decided.v1' || event.origin !== 'system') continue;
    const { session, action, running } = event.data;
    const secret = await secretOf(world.folder, session, world.recipientPrivateKey);
    if (running === commitToRunning(secret, action, text)) count += 1;
  }
  return count;
}

describe('a cancel request', () => {
  it('stops what runs at the target, as an action of the gateway, and nothing else', async () => {
    const [first, second] = [await signedIn(), await signedIn()];
    first.message('Q', 'SELECT pg_sleep(601)');
    second.message('Q', 'SELECT pg_sleep(602)');
    await waitUntil(async () => (await running('SELECT pg_sleep(601)')) === 1);
    await waitUntil(async () => (await running('SELECT pg_sleep(602)')) === 1);
    await RawClient.cancel(world.port, first.cancelKey);
    const stopped = errorIn(await first.until('Z'));
    expect([codeOf(stopped), fieldOf(stopped, 'C')]).toEqual(['rpc.cancelled', '57014']);
    expect(await running('SELECT pg_sleep(602)')).toBe(1);
    first.message('Q', 'SELECT 1');
    expect((await first.until('Z')).map(({ type }) => type).join('')).toBe('TDCZ');
    await RawClient.cancel(world.port, second.cancelKey);
    expect(codeOf(errorIn(await second.until('Z')))).toBe('rpc.cancelled');
    const action = /Action ([0-9a-f-]+)/.exec(fieldOf(stopped, 'D'))?.[1];
    const completed = await waitUntil(async () =>
      (await world.events()).find(
        (event) => event.type === 'countersign.action.completed.v1' && event.data.action === action,
      ),
    );
    expect(completed.data).toMatchObject({ status: 'failed', error: 'rpc.cancelled', sqlstate: '57014' });
    expect(await systemActionsThatRan(`CANCEL ${action}`)).toBe(1);
    first.close();
    second.close();
  });

  it('is ignored and counted where its key is wrong, however nearly', async () => {
    const client = await signedIn();
    client.message('Q', 'SELECT pg_sleep(603)');
    await waitUntil(async () => (await running('SELECT pg_sleep(603)')) === 1);
    const [key, before] = [client.cancelKey, await outcomes()];
    for (const [position, mask] of [
      [7, 1],
      [4, 0x80],
      [3, 1],
    ] as const) {
      const wrong = Buffer.from(key);
      wrong[position] = (wrong[position] ?? 0) ^ mask;
      await RawClient.cancel(world.port, wrong);
    }
    await RawClient.cancel(world.port, Buffer.concat([key, Buffer.alloc(1)]));
    expect(await running('SELECT pg_sleep(603)')).toBe(1);
    expect(unknownIn(await outcomes()) - unknownIn(before)).toBe(4);
    await RawClient.cancel(world.port, key);
    expect(codeOf(errorIn(await client.until('Z')))).toBe('rpc.cancelled');
    client.close();
    await waitUntil(async () =>
      (await world.events()).some(
        (event) =>
          event.type === 'countersign.session.refused.v1' && event.data.code === 'session.cancel_unknown',
      ),
    );
  });

  it('ends the wait for a human, and leaves the approval for later', async () => {
    const client = await signedIn();
    client.message('Q', 'DELETE FROM events');
    await client.until('N');
    await RawClient.cancel(world.port, client.cancelKey);
    const refused = errorIn(await client.until('Z'));
    expect([codeOf(refused), fieldOf(refused, 'C')]).toEqual(['rpc.cancelled', '57014']);
    const [approval] = world.approval.approvals;
    expect(fieldOf(refused, 'M')).toContain(approval?.approval.id);
    const decided = (await world.events())
      .filter((event) => event.type === 'countersign.action.decided.v1')
      .at(-1);
    expect(decided?.data).toMatchObject({ verdict: 'defer', stage: 'approval', refusal: 'rpc.cancelled' });
    world.approval.answer(approval?.approval.id ?? '', 'approved');
    client.message('Q', 'DELETE FROM events');
    const ran = await client.until('Z');
    expect(ran.map(({ type }) => type).join('')).toMatch(/CZ$/);
    client.close();
  });

  it('fails a transaction, which is then rolled back', async () => {
    const client = await signedIn();
    client.message('Q', 'BEGIN');
    await client.until('Z');
    client.message('Q', 'SELECT pg_sleep(604)');
    await waitUntil(async () => (await running('SELECT pg_sleep(604)')) === 1);
    await RawClient.cancel(world.port, client.cancelKey);
    expect((await client.until('Z')).at(-1)?.body.toString()).toBe('E');
    client.message('Q', 'ROLLBACK');
    expect((await client.until('Z')).at(-1)?.body.toString()).toBe('I');
    client.close();
  });

  it('that comes too late hits neither the next statement nor another session', async () => {
    const [hurried, calm] = [await signedIn(), await signedIn()];
    for (let round = 0; round < 40; round += 1) {
      hurried.message('Q', 'SELECT pg_sleep(0.005)');
      await new Promise((resolve) => setTimeout(resolve, round % 20));
      // Once the ingress has taken the request, whatever follows is safe from it.
      await RawClient.cancel(world.port, hurried.cancelKey);
      hurried.message('Q', "SELECT 'next'");
      calm.message('Q', "SELECT 'other'");
      expect((await hurried.until('Z')).map(({ type }) => type).join('')).toMatch(/^(TDC|E|TE)Z$/);
      expect((await hurried.until('Z')).map(({ type }) => type).join('')).toBe('TDCZ');
      expect((await calm.until('Z')).map(({ type }) => type).join('')).toBe('TDCZ');
    }
    hurried.close();
    calm.close();
  });

  it('means nothing once its session has ended', async () => {
    const client = await signedIn();
    const key = client.cancelKey;
    client.message('X');
    await client.until('none');
    await waitUntil(async () => /ended_total.* [1-9]/.test(await world.metrics.registry.metrics()));
    const before = unknownIn(await outcomes());
    await waitUntil(async () => {
      await RawClient.cancel(world.port, key);
      return unknownIn(await outcomes()) > before;
    });
  });
});
