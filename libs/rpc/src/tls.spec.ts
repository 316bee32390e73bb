import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Authority } from './fixtures/certificates.js';
import { commandOf } from './fixtures/echo.js';
import { Running, refusal } from './fixtures/running.driver.js';
import { peerOf } from './peer.js';

let running: Running;
let authority: Authority;
beforeEach(async () => {
  running = new Running();
  authority = await Authority.create(running.folder, 'deployment');
});
afterEach(() => running.end());

const address = 'localhost:0';
const context = { input: commandOf({ do: 'context' }) };

describe('mutual TLS', () => {
  it('tells both sides who the other is', async () => {
    const server = await running.serve({ address, tls: await authority.issue('policy/0') });
    const client = running.connect({
      address: server.address,
      tls: await authority.issue('ingress-proxy/eu-1'),
    });
    const { decision } = await client.decide(context);
    expect(JSON.parse(decision.toString())).toEqual({ correlationId: null, peer: 'ingress-proxy/eu-1' });
    for await (const { policyDigest } of client.watch({})) {
      expect(policyDigest).toBe('0');
      break;
    }
  });

  it('refuses a caller of another authority', async () => {
    const server = await running.serve({ address, tls: await authority.issue('policy/0') });
    const other = await Authority.create(running.folder, 'other');
    const own = await authority.issue('ingress-proxy/0');
    const foreign = await other.issue('ingress-proxy/0');
    // It trusts the server; the server must not trust it.
    const tls = { ...foreign, authorityFile: own.authorityFile };
    const client = running.connect({ address: server.address, tls });
    expect(await refusal(client.decide(context))).toMatchObject({ code: 'rpc.unavailable' });
    expect(server.inFlight).toBe(0);
  });

  it('refuses a server of another authority', async () => {
    const other = await Authority.create(running.folder, 'other');
    const foreign = await other.issue('policy/0');
    const own = await authority.issue('ingress-proxy/0');
    const server = await running.serve({ address, tls: { ...foreign, authorityFile: own.authorityFile } });
    const client = running.connect({ address: server.address, tls: own });
    expect(await refusal(client.decide(context))).toMatchObject({ code: 'rpc.unavailable' });
  });

  it('refuses a server that is another service of the deployment', async () => {
    const server = await running.serve({ address, tls: await authority.issue('masking/0', ['localhost']) });
    const client = running.connect({
      address: server.address,
      tls: await authority.issue('ingress-proxy/0'),
    });
    expect(await refusal(client.decide(context))).toMatchObject({ code: 'rpc.unavailable' });
  });

  it('takes host names where certificates have no name of ours', async () => {
    const right = await running.serve({ address, tls: await authority.issue(undefined, ['localhost']) });
    const tls = await authority.issue('ingress-proxy/0');
    await running.connect({ address: right.address, tls }).decide(context);
    const wrong = await running.serve({ address, tls: await authority.issue(undefined, ['policy.example']) });
    const client = running.connect({ address: wrong.address, tls });
    expect(await refusal(client.decide(context))).toMatchObject({ code: 'rpc.unavailable' });
  });

  it('lets only named services call where that is set', async () => {
    const server = await running.serve({
      address,
      tls: await authority.issue('policy/0'),
      peers: ['ingress-proxy'],
    });
    const ingress = running.connect({
      address: server.address,
      tls: await authority.issue('ingress-proxy/0'),
    });
    await ingress.decide(context);
    const evidence = running.connect({ address: server.address, tls: await authority.issue('evidence/0') });
    expect(await refusal(evidence.decide(context))).toMatchObject({ code: 'auth.kind_forbidden' });
  });

  it('refuses a caller without certificate, and one without TLS', async () => {
    const files = await authority.issue('policy/0');
    const server = await running.serve({ address, tls: files });
    const port = Number(server.address.split(':')[1]);
    const ended = await new Promise<string>((resolve) => {
      const socket = connect({ port, host: 'localhost', rejectUnauthorized: false, ALPNProtocols: ['h2'] });
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      socket.on('close', () => resolve('closed'));
      socket.on('data', () => undefined);
    });
    expect(ended).not.toBe('open');
    const plain = running.connect({ address: server.address });
    expect(await refusal(plain.decide(context))).toMatchObject({ code: 'rpc.unavailable' });
  });

  it('says what is wrong with its files', async () => {
    const files = await authority.issue('policy/0');
    const missing = join(running.folder, 'missing.pem');
    expect(
      await refusal(running.serve({ address, tls: { ...files, privateKeyFile: missing } })),
    ).toMatchObject({
      code: 'config.invalid',
      message: expect.stringContaining('missing.pem'),
    });
    const broken = join(running.folder, 'broken.pem');
    writeFileSync(broken, 'not a key');
    expect(
      await refusal(running.serve({ address, tls: { ...files, privateKeyFile: broken } })),
    ).toMatchObject({
      code: 'config.invalid',
    });
    expect(() => running.connect({ address, tls: { ...files, certificateFile: missing } })).toThrow(
      expect.objectContaining({ code: 'config.invalid' }),
    );
  });
});

describe('the name of a peer', () => {
  it.each([
    ['URI:countersign://policy/0', 'policy/0'],
    ['DNS:localhost, URI:countersign://ingress-proxy/eu-1', 'ingress-proxy/eu-1'],
    ['URI:"countersign://policy/0, URI:countersign://evidence/0"', undefined],
    ['DNS:"x, URI:countersign://policy/0"', undefined],
    ['URI:countersign://policy/0/more', undefined],
    ['URI:countersign://policy', undefined],
    ['URI:https://policy/0', undefined],
    [undefined, undefined],
  ])('in %s is %s', (names, peer) => {
    expect(peerOf(names)).toBe(peer);
  });
});
