import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { Deployment, submission } from './fixtures/index.js';

const main = fileURLToPath(new URL('main.js', import.meta.resolve('@countersign/cli')));

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.open();
  await deployment.start();
  const pem = deployment.root.privateKey.export({ type: 'pkcs8', format: 'pem' });
  deployment.write('root.pem', pem.toString());
}, 60_000);
afterAll(async () => await deployment?.close());

/** Runs `countersign` as a process of its own, as somebody. */
function countersign(
  who: string | null,
  ...words: string[]
): Promise<{ code: number; out: string; err: string }> {
  const as = who === null ? [] : ['--id', who, '--key', deployment.path(`${who.split(':')[1]}.pem`)];
  const env = {
    PATH: process.env.PATH,
    COUNTERSIGN_CLI_URL: deployment.http,
    XDG_CONFIG_HOME: deployment.path('none'),
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...words, ...as], { env }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: out.trim(), err: err.trim() });
    });
  });
}

async function enroll(id: string, ...roles: string[]) {
  const file = deployment.path(`${id.split(':')[1]}.pem`);
  const flags = roles.flatMap((role) => ['--role', role]);
  return await countersign('person:root', 'enroll', id, '--new-key', file, '--send', ...flags);
}

describe('countersign', () => {
  it('enrols, grants, gets a token, shows and approves', async () => {
    for (const [id, ...roles] of [
      ['agent:reporter'],
      ['person:owner'],
      ['person:approver', 'approver'],
    ] as const) {
      expect(await enroll(id, ...roles)).toMatchObject({ code: 0, out: expect.stringContaining(id) });
    }
    expect(statSync(deployment.path('reporter.pem')).mode & 0o777).toBe(0o600);

    const asked = await countersign(
      ...([
        'agent:reporter',
        'grants',
        'request',
        '--target',
        'clinic',
        '--role',
        'operator',
        '--json',
      ] as const),
      ...['--on-behalf-of', 'person:owner', '--for', '1h'],
    );
    const { id: grant } = JSON.parse(asked.out);
    const self = await countersign('person:owner', 'grants', 'activate', grant);
    expect(self).toMatchObject({ code: 2, err: expect.stringContaining('may not activate') });
    expect(await countersign('person:approver', 'grants', 'activate', grant)).toMatchObject({ code: 0 });
    expect((await countersign('person:approver', 'grants', 'list')).out).toContain(grant);

    const { out: token, err } = await countersign('agent:reporter', 'token', '--grant', grant);
    expect(decodeJwt(token)).toMatchObject({ aud: 'clinic', grant, kind: 'agent' });
    expect(err).toBe('');

    const agent = { id: 'agent:reporter' } as never;
    const owner = { id: 'person:owner' } as never;
    const hostile = "DELETE FROM visits -- \u001b[2K\r\u202Eharmless\nWHERE note = 'а'";
    const wanted = submission(agent, owner, grant, hostile, { parameters: ['4\u001b[1m2', null] });
    const number = { isNull: false, value: Buffer.from([0, 0, 0, 42]), type: 23, shown: '42 (int4)' };
    wanted.parameters.push({ ...number, binary: true });
    const approval = (await deployment.client.hold(wanted)).approval?.id ?? '';
    expect((await countersign('person:approver', 'approvals', 'list', '--status', 'pending')).out).toContain(
      approval,
    );

    const shown = await countersign('person:approver', 'approvals', 'show', approval);
    expect(shown.code).toBe(0);
    expect(shown.out).toContain('DELETE FROM visits -- ⟦001B⟧[2K⟦000D⟧⟦202E⟧harmless');
    expect(shown.out).toContain('$1 = 4⟦001B⟧[1m2');
    expect(shown.out).toContain('$2 = NULL');
    expect(shown.out).toContain('$3 = 42 (int4), in binary form 0000002a');
    expect(shown.out).toContain('unbounded-write');
    expect(shown.out).toContain('U+0430');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may reach the terminal
    expect(shown.out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);

    for (const who of ['agent:reporter', 'person:owner']) {
      expect(await countersign(who, 'approvals', 'show', approval)).toMatchObject({ code: 2 });
      expect(await countersign(who, 'approvals', 'approve', approval)).toMatchObject({ code: 2 });
    }
    const answered = await countersign('person:approver', 'approvals', 'approve', approval);
    expect(answered).toMatchObject({ code: 0, out: expect.stringContaining('is approved') });
    await deployment.client.consume({ approvalId: approval, binding: wanted.binding, actionId: 'run' });
    const late = await countersign('person:approver', 'approvals', 'deny', approval, '--json');
    expect(late.code).toBe(2);
    expect(JSON.parse(late.err)).toMatchObject({ code: 'approval.not_pending' });
    expect(await countersign('person:approver', 'grants', 'revoke', grant)).toMatchObject({
      ...{ code: 0, out: expect.stringContaining('revoked') },
    });
  }, 60_000);

  it('prints an enrolment without sending it', async () => {
    const file = deployment.path('later.pem');
    const { code, out } = await countersign(null, 'enroll', 'agent:later', '--new-key', file);
    expect(code).toBe(0);
    expect(existsSync(file)).toBe(true);
    expect(JSON.parse(out)).toMatchObject({
      id: 'agent:later',
      kind: 'agent',
      publicKey: { crv: 'Ed25519' },
    });
    expect(out).not.toContain('"d"');
  });

  it('says plainly what is wrong', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    deployment.write('stranger.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    expect(await countersign('person:stranger', 'approvals', 'list')).toMatchObject({
      ...{ code: 2, err: expect.stringContaining('No such principal') },
    });
    expect(await countersign(null, 'token')).toMatchObject({
      code: 1,
      err: expect.stringContaining('--id and --key'),
    });
    expect(await countersign('person:absent', 'token')).toMatchObject({
      code: 1,
      err: expect.stringContaining('ENOENT'),
    });
    const away = await countersign('person:root', 'grants', 'list', '--url', 'http://127.0.0.1:9');
    expect(away).toMatchObject({ code: 1, err: expect.stringContaining('cannot be reached') });
    expect(
      await countersign('person:root', 'enroll', 'Ada Lovelace', '--new-key', deployment.path('root.pem')),
    ).toMatchObject({
      code: 2,
    });
  });
});
