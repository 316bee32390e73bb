import { approvalRpc } from '@countersign/contracts';
import { waitUntil } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { Deployment, type Holder, submission } from './fixtures/index.js';

let deployment: Deployment;
let agent: Holder;
let owner: Holder;
let approver: Holder;
let grant: string;

beforeAll(async () => {
  deployment = await Deployment.open();
  await deployment.start();
  agent = await deployment.enrol('agent:reporter');
  owner = await deployment.enrol('person:owner');
  approver = await deployment.enrol('person:approver', ['approver']);
  grant = await deployment.grant(agent, owner);
}, 60_000);
afterAll(async () => await deployment?.close());

async function sql(database: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(deployment.postgres.url(database));
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

async function approved(statement: string) {
  const wanted = submission(agent, owner, grant, statement);
  const approvalId = (await deployment.client.hold(wanted)).approval?.id ?? '';
  await deployment.post(approver, `/v1/approvals/${approvalId}/approve`);
  return { approvalId, binding: wanted.binding, wanted };
}

const consumedOf = async (approval: string) =>
  (await deployment.events()).filter(
    ({ type, data }) => type === 'countersign.approval.consumed.v1' && data.approval === approval,
  );

/** What a consumer may be told that is not let through. */
const codes = ['approval.already_used', 'rpc.unavailable', 'rpc.deadline', 'recording.unavailable'];

describe('faults', () => {
  it('requests one approval for many identical actions at once', async () => {
    const wanted = submission(agent, owner, grant, 'DELETE FROM same');
    const held = await Promise.all(Array.from({ length: 40 }, () => deployment.client.hold(wanted)));
    expect(new Set(held.map(({ approval }) => approval?.id)).size).toBe(1);
  });

  it('lets exactly one of many consumers through', async () => {
    const { approvalId, binding } = await approved('DELETE FROM many');
    const results = await Promise.allSettled(
      Array.from({ length: 60 }, (_, index) =>
        deployment.client.consume({ approvalId, binding, actionId: `run-${index}` }),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({ code: 'approval.already_used' });
    }
    expect(await consumedOf(approvalId)).toHaveLength(1);
  });

  it('takes one of two opposite answers', async () => {
    const wanted = submission(agent, owner, grant, 'DELETE FROM opposite');
    const id = (await deployment.client.hold(wanted)).approval?.id ?? '';
    const answers = await Promise.all(
      ['approve', 'deny', 'approve', 'deny'].map((verdict) =>
        deployment.post(approver, `/v1/approvals/${id}/${verdict}`),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
  });

  it('lets at most one consumer through while the service is killed again and again', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { approvalId, binding } = await approved(`DELETE FROM killed_${round}`);
      let through = 0;
      /** Whether it is settled: used, by this one or another; else the service could not say. */
      const consume = async (actionId: string): Promise<boolean> => {
        try {
          await deployment.client.consume({ approvalId, binding, actionId });
          through += 1;
          return true;
        } catch (error) {
          const { code } = error as { code: string };
          expect(codes).toContain(code);
          return code === 'approval.already_used';
        }
      };
      const before = Array.from({ length: 30 }, (_, index) => consume(`before-${index}`));
      await new Promise((resolve) => setTimeout(resolve, round * 4));
      await deployment.stop('SIGKILL');
      await Promise.all(before);
      await deployment.start();
      await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          waitUntil(() => consume(`after-${index}`), { timeout: 20_000, interval: 100 }),
        ),
      );
      // Never twice; and where an answer was lost with the process, not even once.
      expect(through).toBeLessThanOrEqual(1);
      const uses = await waitUntil(async () => {
        const found = await consumedOf(approvalId);
        return found.length > 0 ? found : null;
      });
      expect(new Set(uses.map(({ text }) => text)).size).toBe(1);
    }
    expect(await sql('approval', 'select count(*)::int as count from journal')).toEqual([{ count: 0 }]);
  }, 120_000);

  it('seals each event once, in a chain without gaps, over all lives', async () => {
    await waitUntil(async () => (await sql('approval', 'select 1 from outbox')).length === 0);
    const seen = new Map<string, string>();
    const chain = new Map<string, { seq: number }>();
    for (const { text } of await deployment.events()) {
      const { id, epoch, seq } = JSON.parse(text);
      // A batch whose answer was lost is there twice, byte for byte; everything else is there once.
      if (seen.has(id)) {
        expect(seen.get(id)).toBe(text);
        continue;
      }
      seen.set(id, text);
      expect(Number(seq)).toBe((chain.get(epoch)?.seq ?? -1) + 1);
      chain.set(epoch, { seq: Number(seq) });
    }
    expect(chain.size).toBeGreaterThanOrEqual(5);
  });

  it('goes on without the event log, but lets no approval be used until its events are durable', async () => {
    const held = submission(agent, owner, grant, 'DELETE FROM unrecorded');
    const approvalId = (await deployment.client.hold(held)).approval?.id ?? '';
    await sql('postgres', 'alter database events with allow_connections false');
    await sql('postgres', "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'events'");
    expect(await deployment.post(approver, `/v1/approvals/${approvalId}/approve`)).toMatchObject({
      status: 200,
    });
    const use = { approvalId, binding: held.binding, actionId: 'run' };
    const began = performance.now();
    await expect(deployment.client.consume(use)).rejects.toMatchObject({ code: 'recording.unavailable' });
    expect(performance.now() - began).toBeLessThan(6000);
    await sql('postgres', 'alter database events with allow_connections true');
    // It was refused before it was used: it is still good.
    await waitUntil(() => deployment.client.consume(use).then(() => true), { timeout: 30_000 });
    expect(await consumedOf(approvalId)).toHaveLength(1);
  }, 60_000);

  it('answers in bounded time without its database, and comes back by itself', async () => {
    await deployment.postgres.kill();
    const began = performance.now();
    await expect(deployment.client.checkGrant({ grantId: grant })).rejects.toMatchObject({
      code: 'approval.unavailable',
    });
    expect(performance.now() - began).toBeLessThan(8000);
    expect((await deployment.ask('/healthz')).status).toBe(200);
    expect((await deployment.ask('/readyz')).status).toBe(503);
    await deployment.postgres.restart();
    await waitUntil(async () => (await deployment.ask('/readyz')).status === 200, { timeout: 30_000 });
    const { approvalId, binding } = await approved('DELETE FROM back');
    await deployment.client.consume({ approvalId, binding, actionId: 'run' });
  }, 60_000);

  it('breaks the stream of changes where it may have missed one', async () => {
    const broken = (async () => {
      for await (const _ of deployment.client.watch({})) {
        await sql(
          'postgres',
          "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%'",
        );
      }
    })();
    await expect(broken).rejects.toMatchObject({ code: 'approval.unavailable' });
  });

  it('expires by the clock what nobody answers or uses', async () => {
    const settings = { approvals: { pendingSeconds: 1, usableSeconds: 1 } };
    await deployment.stop();
    await deployment.start(settings);
    const wanted = submission(agent, owner, grant, 'DELETE FROM slow');
    const first = (await deployment.client.hold(wanted)).approval?.id ?? '';
    const { approval } = await deployment.client.await({ approvalId: first, waitMilliseconds: 5000 });
    expect(approval?.status).toBe(approvalRpc.ApprovalStatus.APPROVAL_STATUS_EXPIRED);
    expect((await deployment.post(approver, `/v1/approvals/${first}/approve`)).body.code).toMatch(
      /expired|not_pending/,
    );
    const { approvalId, binding } = await approved('DELETE FROM slow');
    expect(approvalId).not.toBe(first);
    await new Promise((resolve) => setTimeout(resolve, 2100));
    await expect(deployment.client.consume({ approvalId, binding, actionId: 'late' })).rejects.toMatchObject({
      code: 'approval.expired',
    });
    await waitUntil(async () => {
      const ended = (await deployment.events()).filter(
        ({ type }) => type === 'countersign.approval.expired.v1',
      );
      return [first, approvalId].every((id) => ended.some(({ data }) => data.approval === id));
    });
  });

  it('forgets statements of ended approvals', async () => {
    const contents = { ...(deployment.configuration.contents as object), retentionSeconds: 1 };
    await deployment.stop();
    await deployment.start({ contents });
    const { approvalId, binding } = await approved('DELETE FROM forgotten');
    await deployment.client.consume({ approvalId, binding, actionId: 'run' });
    expect((await deployment.get(approver, `/v1/approvals/${approvalId}/statement`)).status).toBe(200);
    const gone = await waitUntil(async () => {
      const answer = await deployment.get(approver, `/v1/approvals/${approvalId}/statement`);
      return answer.status === 200 ? null : answer;
    });
    expect(gone).toMatchObject({ status: 410, body: { code: 'approval.content_erased' } });
    const kept = await sql(
      'approval',
      `select wrapped_key from approval_content where approval = '${approvalId}'`,
    );
    expect(kept).toEqual([{ wrapped_key: null }]);
  });

  it('refuses what is no submission, in words of the catalogue', async () => {
    const wanted = submission(agent, owner, grant, 'DELETE FROM x');
    const code = (change: Partial<approvalRpc.HoldRequest>) =>
      deployment.client.hold({ ...wanted, ...change }).catch((error: { code: string }) => error.code);
    expect(await code({ binding: Buffer.from('{}') })).toBe('request.invalid');
    expect(await code({ facts: Buffer.from('{"b":1,"a":2}') })).toBe('request.invalid');
    expect(await code({ facts: Buffer.alloc(50_000, 32) })).toBe('request.invalid');
    expect(await code({ actionId: '' })).toBe('request.invalid');
    expect(await code({ reason: 'a\u0000b' })).toBe('request.invalid');
    expect(await code({ rules: Array.from({ length: 65 }, () => 'rule') })).toBe('request.invalid');
    expect(await code({ statement: 'x'.repeat(2_200_000) })).toBe('request.too_large');
    const otherRole = submission(agent, owner, grant, 'DELETE FROM x', { role: 'reader' });
    expect(await code({ binding: otherRole.binding })).toBe('request.invalid');
    expect(
      await code({ binding: submission(approver as Holder & { id: 'agent:x' }, owner, grant, 'x').binding }),
    ).toBe('request.invalid');
    const unknown = deployment.client.await({ approvalId: "'; drop table approval", waitMilliseconds: 1 });
    await expect(unknown).rejects.toMatchObject({ code: 'approval.unknown' });
    await expect(deployment.client.checkGrant({ grantId: 'nonsense' })).rejects.toMatchObject({
      code: 'grant.unknown',
    });
  });

  it('stops in order', async () => {
    expect(await deployment.stop('SIGTERM')).toBe(0);
  });
});
