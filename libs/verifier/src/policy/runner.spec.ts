import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { verifyDossier } from '../index.js';
import { linesOf } from '../testing/dossier.fixture.js';
import { createWorld, type World } from '../testing/world.fixture.js';
import { ThreadPolicyRunner } from './thread.driver.js';

let world: World;
let runner: ThreadPolicyRunner;

beforeAll(async () => {
  world = await createWorld();
});
afterEach(() => runner.close());

const verify = async () =>
  verifyDossier(await linesOf(world.parts), { trust: [world.trust.authority], runner });

describe('policies in a thread', () => {
  it('decide as they do here', async () => {
    runner = new ThreadPolicyRunner();
    const report = await verify();
    expect(report.findings).toEqual([]);
    expect(report.checks.find(({ id }) => id === 'policy')?.examined).toContain('6 decisions');
  });

  it('are ended when they take too long, and then nothing passes for decided', async () => {
    runner = new ThreadPolicyRunner(0);
    const report = await verify();
    expect(report.verdict).toBe('tampered');
    expect(report.findings.map(({ code }) => code)).toEqual(['policy.unreadable']);
  });

  it('give nothing once their thread is gone', async () => {
    runner = new ThreadPolicyRunner();
    const identity = await runner.load(world.bundle);
    await runner.close();
    expect(await runner.load(world.bundle)).toBeNull();
    expect(await runner.decide([{ bundleDigest: identity?.bundleDigest ?? '', input: '{}' }])).toEqual([
      null,
    ]);
  });

  it('refuse what is no bundle', async () => {
    runner = new ThreadPolicyRunner();
    expect(await runner.load(Uint8Array.of(1, 2, 3))).toBeNull();
    expect(await runner.decide([{ bundleDigest: 'unknown', input: '{}' }])).toEqual([null]);
  });
});
