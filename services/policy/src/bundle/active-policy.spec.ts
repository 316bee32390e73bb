import { CountersignError } from '@countersign/errors';
import { describe, expect, it } from '@jest/globals';
import { bundleWithRoles, committedBundle } from '../fixtures/bundles.js';
import { type Activation, ActivePolicy } from './active-policy.js';

const first = committedBundle();
const second = bundleWithRoles((roles) => {
  delete roles.operator;
});

describe('the active policy', () => {
  it('is recorded before it decides', async () => {
    const seen: (string | null)[] = [];
    const active: ActivePolicy = new ActivePolicy({
      async record({ policyDigest }) {
        seen.push(active.current?.policyDigest ?? null, policyDigest);
      },
      onActivated: ({ policyDigest }) => seen.push(active.current?.policyDigest ?? null, policyDigest),
    });
    expect(await active.offer(first)).toBe('activated');
    const digest = active.current?.policyDigest;
    expect(seen).toEqual([null, digest, digest, digest]);
  });

  it('names what it replaces', async () => {
    const activations: Activation[] = [];
    const active = new ActivePolicy({
      async record(activation) {
        activations.push(activation);
      },
    });
    await Promise.all([active.offer(first), active.offer(first), active.offer(second), active.offer(first)]);
    const [one, other] = activations;
    expect(activations.map(({ previous }) => previous)).toEqual([
      null,
      one?.policyDigest,
      other?.policyDigest,
    ]);
    expect(one?.policyDigest).not.toBe(other?.policyDigest);
    expect(active.current?.bundleDigest).toBe(one?.bundleDigest);
  });

  it('stays where the next one cannot be loaded', async () => {
    const active = new ActivePolicy({ record: async () => undefined });
    await active.offer(first);
    const before = active.current;
    for (let again = 0; again < 2; again += 1) {
      await expect(active.offer(first.subarray(0, 1000))).rejects.toMatchObject({
        code: 'policy.bundle_invalid',
      });
    }
    expect(active.current).toBe(before);
  });

  it('stays where the next one cannot be recorded, and changes once it can', async () => {
    let recording = true;
    const active = new ActivePolicy({
      async record() {
        if (!recording) throw new CountersignError('recording.unavailable');
      },
    });
    await active.offer(first);
    const before = active.current;
    recording = false;
    await expect(active.offer(second)).rejects.toMatchObject({ code: 'recording.unavailable' });
    expect(active.current).toBe(before);
    recording = true;
    expect(await active.offer(second)).toBe('activated');
    expect(active.current).not.toBe(before);
  });
});
