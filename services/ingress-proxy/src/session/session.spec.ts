import { approvalRpc } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { describe, expect, it } from '@jest/globals';
import { Attempts } from './attempts.js';
import { GrantWatch } from './grants.client.js';
import { RefusalWindow } from './refusals.js';
import { judgeToken } from './token.js';

describe('refusals under a flood', () => {
  it('are events of their own first, then counts, and never more than a bound', () => {
    const window = new RefusalWindow();
    let single = 0;
    for (let count = 0; count < 10_000; count += 1) {
      const agent = `agent-${count % 2_000}`;
      if (window.add({ target: 'shop', agent, code: 'auth.token_expired' }) !== null) single += 1;
    }
    const counted = window.close();
    expect(single).toBe(50);
    expect(counted.length).toBeLessThanOrEqual(501);
    expect(counted.reduce((sum, { count }) => sum + count, 0) + single).toBe(10_000);
    expect(window.close()).toEqual([]);
  });

  it('are told apart by kind', () => {
    const window = new RefusalWindow();
    for (let count = 0; count < 5; count += 1) {
      window.add({ target: null, agent: null, code: 'auth.token_invalid' });
      window.add({ target: 'shop', agent: null, code: 'auth.token_invalid' });
    }
    expect(window.close().map(({ target, count }) => [target, count])).toEqual([
      [null, 2],
      ['shop', 2],
    ]);
  });
});

describe('attempts', () => {
  it('are limited for each peer, for a minute', () => {
    const attempts = new Attempts(2);
    const may = (now: number, peer = 'a'): boolean => attempts.mayTry(peer, now);
    attempts.refused('a', 0);
    expect(may(1)).toBe(true);
    attempts.refused('a', 2);
    expect([may(3), may(3, 'b'), may(59_999), may(60_000)]).toEqual([false, true, false, true]);
    attempts.refused('a', 60_001);
    expect(may(60_002)).toBe(true);
  });
});

describe('grants', () => {
  const { GRANT_STATUS_ACTIVE, GRANT_STATUS_REVOKED } = approvalRpc.GrantStatus;

  function watched(): {
    readonly watch: GrantWatch;
    readonly rpc: { status: number; calls: number; gone: boolean };
  } {
    const rpc = { status: GRANT_STATUS_ACTIVE as number, calls: 0, gone: false };
    const watch = new GrantWatch(
      {
        checkGrant: async () => {
          rpc.calls += 1;
          if (rpc.gone) throw new CountersignError('rpc.unavailable');
          return { status: rpc.status, expiresAt: 1_000n };
        },
      },
      () => 500_000,
    );
    return { watch, rpc };
  }

  it('are asked for once while the stream stands', async () => {
    const { watch, rpc } = watched();
    watch.onReady();
    const standing = await watch.open('g');
    for (let count = 0; count < 5; count += 1) expect(watch.check('g', standing)).toBeUndefined();
    expect(rpc.calls).toBe(1);
  });

  it('are asked for at each action while it does not, and once after it does again', async () => {
    const { watch, rpc } = watched();
    watch.onReady();
    const standing = await watch.open('g');
    watch.onBroken();
    await watch.check('g', standing);
    await watch.check('g', standing);
    watch.onReady();
    await watch.check('g', standing);
    expect(watch.check('g', standing)).toBeUndefined();
    expect(rpc.calls).toBe(4);
    watch.onBroken();
    rpc.gone = true;
    await expect(watch.check('g', standing)).rejects.toMatchObject({ code: 'approval.unavailable' });
  });

  it('that end stop the sessions under them, also where the end comes while one is asked for', async () => {
    const { watch, rpc } = watched();
    watch.onReady();
    const standing = await watch.open('g');
    const other = await watch.open('other');
    rpc.status = GRANT_STATUS_REVOKED;
    watch.onEnded('g');
    await expect(watch.check('g', standing)).rejects.toMatchObject({ code: 'grant.revoked' });
    expect(watch.check('other', other)).toBeUndefined();
    rpc.status = GRANT_STATUS_ACTIVE;
    const opening = watch.open('late');
    watch.onEnded('late');
    rpc.status = GRANT_STATUS_REVOKED;
    await expect(watch.check('late', await opening)).rejects.toMatchObject({ code: 'grant.revoked' });
  });

  it('that nobody knows, or that are not active yet, open nothing', async () => {
    const { watch, rpc } = watched();
    for (const [status, code] of [
      [approvalRpc.GrantStatus.GRANT_STATUS_UNSPECIFIED, 'grant.unknown'],
      [approvalRpc.GrantStatus.GRANT_STATUS_REQUESTED, 'grant.not_active'],
      [approvalRpc.GrantStatus.GRANT_STATUS_EXPIRED, 'grant.expired'],
    ] as const) {
      rpc.status = status;
      await expect(watch.open('g')).rejects.toMatchObject({ code });
    }
  });
});

describe('the chain of delegation', () => {
  it('is told from the innermost actor outwards', () => {
    const payload = {
      iss: 'i',
      sub: 'agent-1',
      kind: 'agent',
      aud: 'shop',
      iat: 0,
      exp: 600,
      jti: 'j',
      grant: 'g',
      role: 'r',
      on_behalf_of: 'person-1',
      act: { sub: 'agent-1', act: { sub: 'agent-0', act: { sub: 'agent-00' } } },
    };
    const claims = judgeToken(payload, { issuer: 'i', target: 'shop', user: 'agent-1' }, 1);
    expect(claims.delegation).toEqual(['agent-00', 'agent-0', 'agent-1']);
  });
});
