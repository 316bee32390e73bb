import { createHmac, createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { waitUntil } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { assertionOf, Deployment, type Holder, holder, issuer } from './fixtures/index.js';

let deployment: Deployment;
let agent: Holder;
let owner: Holder;
let grant: string;

beforeAll(async () => {
  deployment = await Deployment.open();
  await deployment.start();
  agent = await deployment.enrol('agent:reporter');
  owner = await deployment.enrol('person:owner', ['approver']);
  grant = await deployment.grant(agent, owner);
}, 60_000);
afterAll(async () => await deployment?.close());

const now = () => Math.floor(Date.now() / 1000);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const good = (who: Holder) => ({
  ...{ iss: who.id, sub: who.id, aud: issuer, exp: now() + 60, iat: now(), jti: randomUUID() },
});

describe('a proof that is none', () => {
  it.each<[string, () => Promise<string>, string]>([
    [
      'signed with another key',
      async () => assertionOf({ ...agent, privateKey: holder('x').privateKey }),
      'auth.proof_invalid',
    ],
    ['for somebody unknown', async () => assertionOf(holder('agent:nobody')), 'auth.principal_unknown'],
    [
      'of an agent that says it is a person',
      async () => assertionOf({ ...agent, id: owner.id }),
      'auth.proof_invalid',
    ],
    ['with another iss', async () => assertionOf(agent, { iss: owner.id }), 'auth.proof_invalid'],
    ['with another sub', async () => assertionOf(agent, { sub: owner.id }), 'auth.proof_invalid'],
    [
      'for another audience',
      async () => assertionOf(agent, { aud: 'https://other.example' }),
      'auth.proof_invalid',
    ],
    ['expired', async () => assertionOf(agent, { exp: now() - 1 }), 'auth.proof_invalid'],
    ['issued in the future', async () => assertionOf(agent, { iat: now() + 120 }), 'auth.proof_invalid'],
    ['valid for a day', async () => assertionOf(agent, { exp: now() + 86_400 }), 'auth.proof_invalid'],
    ['without jti', async () => assertionOf(agent, { jti: undefined }), 'auth.proof_invalid'],
    ['not signed', async () => `${encode({ alg: 'none' })}.${encode(good(agent))}.`, 'auth.proof_invalid'],
    [
      'not signed, in capitals',
      async () => `${encode({ alg: 'NONE' })}.${encode(good(agent))}.`,
      'auth.proof_invalid',
    ],
    ['signed with HS256 and the public key', async () => hs256(agent), 'auth.proof_invalid'],
    [
      'signed with RS256',
      async () => {
        const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
        const { SignJWT } = await import('jose');
        return await new SignJWT(good(agent)).setProtectedHeader({ alg: 'RS256' }).sign(privateKey);
      },
      'auth.proof_invalid',
    ],
    [
      'with a key of its own in the header',
      async () => {
        const other = holder(agent.id);
        return await assertionOf(other, {}, { jwk: other.publicKey });
      },
      'auth.proof_invalid',
    ],
    [
      'with a critical extension',
      async () => assertionOf(agent, {}, { crit: ['exp'], exp: 1 }).catch(() => 'a.b.c'),
      'auth.proof_invalid',
    ],
    ['signed over claims in clear', async () => unencoded(agent), 'auth.proof_invalid'],
    ['too long', async () => assertionOf(agent, { pad: 'x'.repeat(5000) }), 'auth.proof_invalid'],
    ['no token', async () => 'nonsense', 'auth.proof_invalid'],
    ['empty', async () => '', 'auth.proof_invalid'],
  ])('is refused: %s', async (_, make, code) => {
    const { status, body, headers } = await deployment.trade(await make(), {
      audience: 'countersign-approval',
    });
    expect({ status, code: body.code, error: body.error }).toEqual({
      status: 401,
      code,
      error: 'invalid_client',
    });
    expect(body.access_token).toBeUndefined();
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('is refused the second time, also after a restart', async () => {
    const assertion = await assertionOf(agent);
    const form = { audience: 'countersign-approval' };
    expect(await deployment.trade(assertion, form)).toMatchObject({ status: 200 });
    expect(await deployment.trade(assertion, form)).toMatchObject({
      status: 401,
      body: { code: 'auth.proof_invalid' },
    });
    const racing = await assertionOf(agent);
    const answers = await Promise.all(Array.from({ length: 20 }, () => deployment.trade(racing, form)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    await deployment.stop('SIGKILL');
    await deployment.start();
    expect(await deployment.trade(assertion, form)).toMatchObject({ status: 401 });
  });

  it('is refused whatever bytes it is made of', async () => {
    const real = await assertionOf(agent, { exp: now() + 200 });
    const [header = '', payload = '', signature = ''] = real.split('.');
    const part = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
      fc.constantFrom(header, payload, signature),
    );
    const forged = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
      fc
        .tuple(fc.nat(real.length - 1), fc.base64String({ minLength: 4 }))
        .map(
          ([at, text]) => real.slice(0, at) + text.replaceAll(/[+/=]/g, '_').slice(0, 1) + real.slice(at + 1),
        ),
    );
    await fc.assert(
      fc.asyncProperty(forged, async (assertion) => {
        fc.pre(assertion !== real && !sameSignature(assertion, real));
        const { status, body } = await deployment.trade(assertion, { audience: 'countersign-approval' });
        expect(status).toBe(401);
        expect(body.access_token).toBeUndefined();
      }),
      { numRuns: 150 },
    );
    expect((await deployment.trade(real, { audience: 'countersign-approval' })).status).toBe(200);
  });
});

/** The last character of a signature carries four bits that mean nothing. */
const sameSignature = (a: string, b: string) =>
  a.slice(0, b.lastIndexOf('.')) === b.slice(0, b.lastIndexOf('.')) &&
  Buffer.from(a.split('.')[2] ?? '', 'base64url').equals(Buffer.from(b.split('.')[2] ?? '', 'base64url'));

/** Signed by the right key, but with a payload that is not encoded (RFC 7797). */
function unencoded(who: Holder): string {
  const input = `${encode({ alg: 'EdDSA', crit: ['b64'], b64: false })}.${encode(good(who))}`;
  return `${input}.${sign(null, Buffer.from(input), who.privateKey).toString('base64url')}`;
}

function hs256(who: Holder): string {
  const pem = createPublicKey({ key: { ...who.publicKey }, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  });
  const input = `${encode({ alg: 'HS256' })}.${encode(good(who))}`;
  return `${input}.${createHmac('sha256', pem.toString()).update(input).digest('base64url')}`;
}

describe('an agent', () => {
  it.each([
    ['kind in the claims', { kind: 'person', roles: ['administrator'] }, {}],
    [
      'kind in the form',
      {},
      { kind: 'person', roles: 'administrator', sub: 'person:owner', scope: 'person' },
    ],
  ])('stays an agent with %s', async (_, claims, form) => {
    const { body } = await deployment.trade(await assertionOf(agent, claims), {
      ...{ audience: 'countersign-approval', ...form },
    });
    const token = decodeJwt(body.access_token);
    expect(token).toMatchObject({ kind: 'agent', sub: agent.id });
    expect(token.roles).toBeUndefined();
  });

  it("gets no token for another client id, evidence, another target or another agent's grant", async () => {
    const code = async (who: Holder, form: Record<string, string>) =>
      (await deployment.trade(await assertionOf(who), form)).body.code;
    const other = await deployment.enrol('agent:other');
    expect(await code(agent, { audience: 'countersign-approval', client_id: owner.id })).toBe(
      'auth.proof_invalid',
    );
    expect(await code(agent, { audience: 'countersign-evidence' })).toBe('auth.kind_forbidden');
    expect(await code(agent, { audience: 'countersign-evidence', grant_id: grant })).toBe('request.invalid');
    expect(await code(agent, { audience: 'shop', grant_id: grant })).toBe('request.invalid');
    expect(await code(other, { grant_id: grant })).toBe('grant.unknown');
    expect(await code(owner, { grant_id: grant })).toBe('auth.kind_forbidden');
    expect(await code(agent, { grant_id: randomUUID() })).toBe('grant.unknown');
    expect(await code(agent, { grant_id: "' or 1=1" })).toBe('request.invalid');
  });

  it('never comes to be a person by enrolment, nor a person an agent', async () => {
    const enrol = async (body: unknown) =>
      (await deployment.post(deployment.root, '/v1/principals', body)).body.code;
    const { publicKey } = agent;
    const fresh = holder('x').publicKey;
    expect(await enrol({ id: 'person:new', kind: 'person', roles: ['approver'], publicKey })).toBe(
      'auth.key_enrolled',
    );
    expect(await enrol({ id: 'agent:new', kind: 'agent', publicKey: owner.publicKey })).toBe(
      'auth.key_enrolled',
    );
    expect(await enrol({ id: agent.id, kind: 'person', publicKey: fresh })).toBe('request.invalid');
    expect(await enrol({ id: 'agent:new', kind: 'person', publicKey: fresh })).toBe('request.invalid');
    expect(await enrol({ id: 'agent:new', kind: 'agent', roles: ['approver'], publicKey: fresh })).toBe(
      'auth.kind_forbidden',
    );
    expect(await enrol({ id: agent.id, kind: 'agent', publicKey: fresh })).toBe('auth.principal_exists');
    expect(await enrol({ kind: 'agent', publicKey: { ...fresh, d: fresh.x } })).toBe('request.invalid');
    expect(await enrol({ kind: 'agent', publicKey: fresh, by: 'person:root' })).toBe('request.invalid');
    const rotate = async (id: string, key: unknown) =>
      (await deployment.post(deployment.root, `/v1/principals/${id}/rotate`, { publicKey: key })).body.code;
    expect(await rotate(owner.id, publicKey)).toBe('auth.key_enrolled');
    expect(await rotate(agent.id, owner.publicKey)).toBe('auth.key_enrolled');
    expect(await rotate(agent.id, publicKey)).toBe('auth.key_enrolled');
    for (const who of [agent, owner]) {
      const { body } = await deployment.post(who, '/v1/principals', { kind: 'agent', publicKey: fresh });
      expect(body.code).toBe(who === agent ? 'auth.kind_forbidden' : 'auth.role_required');
    }
  });

  it('cannot race its key into being a person', async () => {
    const key = holder('x').publicKey;
    const answers = await Promise.all(
      ['agent:race', 'person:race'].flatMap((id) => [
        deployment.post(deployment.root, '/v1/principals', { id, kind: id.split(':')[0], publicKey: key }),
        deployment.post(deployment.root, '/v1/principals', { kind: id.split(':')[0], publicKey: key }),
      ]),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  });
});

describe('a token at the API', () => {
  const call = async (token: string | undefined) =>
    await deployment.ask('/v1/grants', token === undefined ? {} : { headers: { Authorization: token } });

  it.each<[string, () => Promise<string | undefined>, string]>([
    ['missing', async () => undefined, 'auth.token_missing'],
    ['of another scheme', async () => 'Basic YTpi', 'auth.token_missing'],
    ['nonsense', async () => 'Bearer abc', 'auth.token_invalid'],
    [
      'a client assertion',
      async () => `Bearer ${await assertionOf(agent, { aud: 'countersign-approval' })}`,
      'auth.token_invalid',
    ],
    [
      'for a target',
      async () => `Bearer ${await deployment.token(agent, { grant_id: grant })}`,
      'auth.token_wrong_target',
    ],
    [
      'for evidence',
      async () => `Bearer ${await deployment.token(owner, { audience: 'countersign-evidence' })}`,
      'auth.token_wrong_target',
    ],
    [
      'not signed',
      async () =>
        `Bearer ${encode({ alg: 'none', typ: 'at+jwt' })}.${encode({ ...good(owner), aud: 'countersign-approval', kind: 'person', roles: ['administrator'] })}.`,
      'auth.token_invalid',
    ],
    [
      'changed',
      async () => {
        const [header, payload, signature] = (await deployment.token(agent)).split('.');
        const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString());
        return `Bearer ${header}.${encode({ ...claims, kind: 'person', sub: owner.id, roles: ['approver'] })}.${signature}`;
      },
      'auth.token_invalid',
    ],
  ])('is refused: %s', async (_, make, code) => {
    const { status, body, headers } = await call(await make());
    expect({ status, code: body.code }).toEqual({ status: 401, code });
    expect(headers.get('content-type')).toBe('application/problem+json');
  });

  it('is refused once its bearer is disabled, whose grants end', async () => {
    const leaving = await deployment.enrol('agent:leaving');
    const held = await deployment.grant(leaving, owner);
    const token = await deployment.token(leaving);
    expect((await call(`Bearer ${token}`)).status).toBe(200);
    await deployment.post(deployment.root, '/v1/principals/agent:leaving/disable');
    expect((await call(`Bearer ${token}`)).body.code).toBe('auth.principal_disabled');
    expect((await deployment.trade(await assertionOf(leaving), { grant_id: held })).body.code).toBe(
      'auth.principal_disabled',
    );
    expect((await deployment.get(deployment.root, '/v1/grants?limit=1')).body.grants).toMatchObject([
      { id: held, status: 'revoked' },
    ]);
  });

  it('proves the new key alone once a key was rotated', async () => {
    const who = await deployment.enrol('agent:rotating');
    const next = { ...holder(who.id), id: who.id };
    await deployment.post(deployment.root, `/v1/principals/${who.id}/rotate`, { publicKey: next.publicKey });
    await expect(deployment.token(who)).rejects.toThrow('auth.proof_invalid');
    expect(await deployment.token(next)).toMatch(/^ey/);
  });
});

describe('keys and floods', () => {
  it('rotates the signing key with overlap, and says so', async () => {
    const changes: unknown[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      for await (const { change } of deployment.client.watch({}, { signal: stop.signal }))
        changes.push(change);
    })().catch(() => undefined);
    await waitUntil(() => changes.length === 1);
    const before = await deployment.token(owner);
    const { privateKey } = generateKeyPairSync('ed25519');
    deployment.write('token.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    await waitUntil(() => changes.length === 2);
    expect(changes[1]).toEqual({ $case: 'keysRotated', value: true });
    const kidOf = (token: string) => decodeProtectedHeader(token).kid;
    const after = await waitUntil(async () => {
      const token = await deployment.token(owner);
      return kidOf(token) === kidOf(before) ? null : token;
    });
    const { body } = await deployment.ask('/.well-known/jwks.json');
    const published = body.keys.map(({ kid }: { kid: string }) => kid);
    expect(published).toEqual([kidOf(after), kidOf(before)]);
    for (const token of [before, after]) {
      expect(
        (await deployment.ask('/v1/grants', { headers: { Authorization: `Bearer ${token}` } })).status,
      ).toBe(200);
    }
    stop.abort();
    await watching;
    await deployment.stop('SIGKILL');
    await deployment.start();
    const again = await deployment.ask('/v1/grants', { headers: { Authorization: `Bearer ${before}` } });
    expect(again.status).toBe(200);
  });

  it('refuses forms that are none', async () => {
    const assertion = await assertionOf(agent);
    expect(await deployment.exchange({ grant_type: 'password', client_assertion: assertion })).toMatchObject({
      ...{ status: 400, body: { error: 'unsupported_grant_type' } },
    });
    const json = await deployment.ask('/oauth/token', {
      ...{ method: 'POST', headers: { 'Content-Type': 'application/json' } },
      body: JSON.stringify({ grant_type: 'client_credentials', client_assertion: assertion }),
    });
    expect(json).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    const twice = await deployment.ask('/oauth/token', {
      ...{ method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
      body: 'grant_type=client_credentials&grant_type=client_credentials',
    });
    expect(twice).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  it('counts every refused proof, and tells a flood in few events', async () => {
    const refusals = async () =>
      (await deployment.events()).filter(({ type }) => type === 'countersign.token.refused.v1');
    const total = async () => (await refusals()).reduce((sum, { data }) => sum + Number(data.count), 0);
    await deployment.stop();
    await deployment.start();
    const [eventsBefore, countBefore] = [(await refusals()).length, await total()];
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(Array.from({ length: 30 }, () => deployment.trade('nonsense')));
    }
    await deployment.stop('SIGTERM');
    expect((await total()) - countBefore).toBe(300);
    expect((await refusals()).length - eventsBefore).toBeLessThanOrEqual(12);
    await deployment.start({
      tokens: { ...(deployment.configuration.tokens as object), refusalsPerMinute: 5 },
    });
    const statuses: number[] = [];
    for (let round = 0; round < 7; round += 1) statuses.push((await deployment.trade('nonsense')).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
  });
});
