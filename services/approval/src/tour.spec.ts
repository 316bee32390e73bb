import { approvalRpc } from '@countersign/contracts';
import { waitUntil } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { Deployment, type Holder, issuer, submission } from './fixtures/index.js';

const { ApprovalStatus: Status, GrantStatus } = approvalRpc;

let deployment: Deployment;
let agent: Holder;
let owner: Holder;
let approver: Holder;

beforeAll(async () => {
  deployment = await Deployment.open();
  await deployment.start();
  agent = await deployment.enrol('agent:reporter');
  owner = await deployment.enrol('person:owner', ['approver']);
  approver = await deployment.enrol('person:approver', ['approver']);
}, 60_000);
afterAll(async () => await deployment?.close());

const secret = 'canary-7c1e4b92';
const statement = `DELETE FROM visits WHERE note = '${secret}'`;

describe('from enrolment to a used approval', () => {
  it('enrols, grants, issues a token, holds, approves and consumes, each an event', async () => {
    // grant → token
    const asked = await deployment.post(agent, '/v1/grants', {
      ...{ agent: agent.id, onBehalfOf: owner.id, target: 'clinic', role: 'operator' },
      expiresAt: Math.floor(Date.now() / 1000) + 3600,
    });
    expect(asked).toMatchObject({ status: 201, body: { status: 'requested' } });
    const grant: string = asked.body.id;
    expect((await deployment.client.checkGrant({ grantId: grant })).status).toBe(
      GrantStatus.GRANT_STATUS_REQUESTED,
    );
    await expect(deployment.token(agent, { grant_id: grant })).rejects.toThrow('grant.not_active');
    expect(await deployment.post(owner, `/v1/grants/${grant}/activate`)).toMatchObject({
      ...{ status: 403, body: { code: 'grant.self' } },
    });
    expect(await deployment.post(agent, `/v1/grants/${grant}/activate`)).toMatchObject({
      ...{ status: 403, body: { code: 'auth.kind_forbidden' } },
    });
    expect(await deployment.post(approver, `/v1/grants/${grant}/activate`)).toMatchObject({
      ...{ status: 200, body: { status: 'active' } },
    });
    expect((await deployment.client.checkGrant({ grantId: grant })).status).toBe(
      GrantStatus.GRANT_STATUS_ACTIVE,
    );
    const token = await deployment.token(agent, { grant_id: grant });
    const { jwks } = await deployment.client.keys({});
    const { payload, protectedHeader } = await jwtVerify(
      token,
      createLocalJWKSet(JSON.parse(jwks.toString())),
      {
        ...{ issuer, audience: 'clinic', algorithms: ['EdDSA'] },
      },
    );
    expect(payload).toMatchObject({
      ...{ sub: agent.id, kind: 'agent', grant, role: 'operator', on_behalf_of: owner.id },
      ...{ act: { sub: agent.id }, aud: 'clinic', jti: expect.any(String) },
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(900);
    expect(protectedHeader).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt' });
    expect((await deployment.ask('/.well-known/jwks.json')).body).toEqual(JSON.parse(jwks.toString()));

    // hold
    const wanted = submission(agent, owner, grant, statement, { parameters: [secret, null] });
    const { approval } = await deployment.client.hold(wanted);
    expect(approval).toMatchObject({ status: Status.APPROVAL_STATUS_PENDING, approver: '', decidedAt: 0n });
    const id = approval?.id ?? '';
    expect((await deployment.client.hold({ ...wanted, actionId: 'again' })).approval?.id).toBe(id);
    await expect(
      deployment.client.consume({ approvalId: id, binding: wanted.binding, actionId: 'early' }),
    ).rejects.toMatchObject({ code: 'approval.pending' });

    // look
    const shown = await deployment.get(approver, `/v1/approvals/${id}/statement`);
    expect(shown.body).toEqual({
      ...{ statement, parameters: [Buffer.from(secret).toString('base64'), null] },
    });
    for (const [who, code] of [
      [agent, 'auth.kind_forbidden'],
      [owner, 'approval.self'],
    ] as const) {
      expect(await deployment.get(who, `/v1/approvals/${id}/statement`)).toMatchObject({ body: { code } });
    }
    expect((await deployment.get(approver, '/v1/approvals?status=pending')).body.approvals).toMatchObject([
      { id },
    ]);
    expect(JSON.stringify((await deployment.get(approver, `/v1/approvals/${id}`)).body)).not.toContain(
      secret,
    );

    // answer, with somebody waiting for it
    const answer = deployment.client.await({ approvalId: id, waitMilliseconds: 9000 });
    for (const [who, code] of [
      [agent, 'auth.kind_forbidden'],
      [owner, 'approval.self'],
    ] as const) {
      expect(await deployment.post(who, `/v1/approvals/${id}/approve`)).toMatchObject({
        status: 403,
        body: { code },
      });
    }
    expect(await deployment.post(approver, `/v1/approvals/${id}/approve`)).toMatchObject({ status: 200 });
    const heard = (await answer).approval;
    expect(heard).toMatchObject({ id, status: Status.APPROVAL_STATUS_APPROVED, approver: approver.id });

    // use
    const use = { approvalId: id, binding: wanted.binding, actionId: 'run-1' };
    const other = submission(agent, owner, grant, `${statement} `, { parameters: [secret, null] });
    await expect(deployment.client.consume({ ...use, binding: other.binding })).rejects.toMatchObject({
      code: 'approval.other_action',
    });
    await deployment.client.consume(use);
    await expect(deployment.client.consume(use)).rejects.toMatchObject({ code: 'approval.already_used' });
    const next = (await deployment.client.hold(wanted)).approval;
    expect(next?.id).not.toBe(id);

    const events = await deployment.events();
    const ofApproval = events
      .filter(({ data }) => data.approval === id)
      .map(({ type, data }) => [
        type.replace('countersign.approval.', '').replace('.v1', ''),
        data.code ?? data.principal ?? data.approver ?? data.action,
      ]);
    expect(ofApproval).toEqual([
      ['requested', wanted.actionId],
      ['shown', approver.id],
      ['refused', 'auth.kind_forbidden'],
      ['refused', 'approval.self'],
      ['approved', approver.id],
      ['consumed', 'run-1'],
    ]);
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining([
        ...['countersign.epoch.opened.v1', 'countersign.principal.enrolled.v1'],
        ...[
          'countersign.grant.requested.v1',
          'countersign.grant.activated.v1',
          'countersign.token.issued.v1',
        ],
      ]),
    );
  });

  it('tells a denial once, to who waits or to who asks next; then the action can be asked for anew', async () => {
    const grant = await deployment.grant(agent, owner);
    const wanted = submission(agent, owner, grant, 'DELETE FROM a');
    const hold = async () => (await deployment.client.hold(wanted)).approval;
    const first = (await hold())?.id ?? '';
    await deployment.post(approver, `/v1/approvals/${first}/deny`);
    const denied = { status: Status.APPROVAL_STATUS_DENIED, approver: approver.id };
    expect(await hold()).toMatchObject({ id: first, ...denied });
    expect(await deployment.post(approver, `/v1/approvals/${first}/approve`)).toMatchObject({
      ...{ status: 409, body: { code: 'approval.not_pending' } },
    });
    const second = (await hold())?.id ?? '';
    expect(second).not.toBe(first);
    const waiting = deployment.client.await({ approvalId: second, waitMilliseconds: 9000 });
    await deployment.post(approver, `/v1/approvals/${second}/deny`);
    expect((await waiting).approval).toMatchObject({ id: second, ...denied });
    expect(await hold()).toMatchObject({ status: Status.APPROVAL_STATUS_PENDING });
  });

  it('pushes ended grants, and refuses what is held under them', async () => {
    const grant = await deployment.grant(agent, owner);
    const stop = new AbortController();
    const changes: unknown[] = [];
    const watching = (async () => {
      for await (const { change } of deployment.client.watch({}, { signal: stop.signal }))
        changes.push(change);
    })().catch(() => undefined);
    await waitUntil(() => changes.length === 1);
    expect(changes).toEqual([{ $case: 'ready', value: true }]);
    const wanted = submission(agent, owner, grant, 'DELETE FROM b');
    const id = (await deployment.client.hold(wanted)).approval?.id ?? '';
    await deployment.post(approver, `/v1/approvals/${id}/approve`);
    await deployment.post(owner, `/v1/grants/${grant}/revoke`);
    await waitUntil(() => changes.length === 2);
    expect(changes[1]).toEqual({ $case: 'grantEnded', value: grant });
    await expect(
      deployment.client.consume({ approvalId: id, binding: wanted.binding, actionId: 'late' }),
    ).rejects.toMatchObject({ code: 'grant.revoked' });
    await expect(deployment.client.hold(wanted)).rejects.toMatchObject({ code: 'grant.revoked' });
    await expect(deployment.token(agent, { grant_id: grant })).rejects.toThrow('grant.revoked');

    const short = await deployment.grant(agent, owner, 'operator', 2);
    await waitUntil(() => changes.length === 3);
    expect(changes[2]).toEqual({ $case: 'grantEnded', value: short });
    expect((await deployment.client.checkGrant({ grantId: short })).status).toBe(
      GrantStatus.GRANT_STATUS_EXPIRED,
    );
    stop.abort();
    await watching;
  });

  it('keeps the statement out of events, logs, metrics and tables', async () => {
    const events = await deployment.events();
    expect(events.length).toBeGreaterThan(10);
    const metrics = (await deployment.ask('/metrics')).body;
    const { rows } = await query(
      "select string_agg(t::text, ' ') as text from (select * from happening) t union all select string_agg(t::text, ' ') from approval t union all select string_agg(t::text, ' ') from approval_content t",
    );
    for (const place of [...events.map(({ text }) => text), deployment.log, metrics, JSON.stringify(rows)]) {
      for (const form of [
        secret,
        Buffer.from(secret).toString('hex'),
        Buffer.from(secret).toString('base64'),
      ]) {
        expect(place).not.toContain(form);
      }
    }
  });

  it('answers health, readiness and an API page', async () => {
    expect((await deployment.ask('/readyz')).body).toMatchObject({ ready: true });
    const { body } = await deployment.ask('/openapi.json');
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining([
        '/oauth/token',
        '/v1/principals',
        '/v1/grants/{id}/activate',
        '/v1/approvals/{id}/statement',
      ]),
    );
  });
});

async function query(sql: string) {
  const { default: pg } = await import('pg');
  const client = new pg.Client(deployment.postgres.url('approval'));
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}
