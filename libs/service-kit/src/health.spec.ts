import { CountersignError } from '@countersign/errors';
import { describe, expect, it } from '@jest/globals';
import { createHealth } from './health.js';

describe('readiness', () => {
  it('is all checks, and the life of the service', async () => {
    const health = createHealth();
    health.register('yes', () => true);
    expect(await health.readiness()).toMatchObject({ ready: false, state: 'starting' });
    health.setState('ready');
    expect(await health.readiness()).toMatchObject({ ready: true, checks: { yes: { ok: true } } });
    const remove = health.register('no', () => false);
    health.register('rejects', () =>
      Promise.reject(new CountersignError('rpc.unavailable', { detail: 'secret' })),
    );
    health.register('throws', () => {
      throw new Error('secret');
    });
    const readiness = await health.readiness();
    expect(readiness).toMatchObject({
      ready: false,
      checks: {
        yes: { ok: true },
        no: { ok: false },
        rejects: { ok: false, code: 'rpc.unavailable' },
        throws: { ok: false, code: 'failed' },
      },
    });
    expect(JSON.stringify(readiness)).not.toContain('secret');
    remove();
    expect((await health.readiness()).checks.no).toBeUndefined();
  });

  it('does not wait for a check that never answers, nor ask it twice at once', async () => {
    const health = createHealth();
    health.setState('ready');
    let asked = 0;
    health.register('silent', () => {
      asked += 1;
      return new Promise(() => undefined);
    });
    const answers = await Promise.all([health.readiness(), health.readiness()]);
    expect(asked).toBe(1);
    expect(answers[0]).toMatchObject({ ready: false, checks: { silent: { ok: false, code: 'timeout' } } });
  });
});
