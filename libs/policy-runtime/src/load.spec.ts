import { describe, expect, it } from '@jest/globals';
import { hostBuiltins } from './engine/index.js';
import { type FakePolicy, fakePolicy } from './fixtures/module.js';
import { bundleOf, caseTable, committedBundle } from './fixtures/policies.js';
import { loadPolicy } from './load.js';

const denial = {
  verdict: 'deny',
  rules: ['default.deny'],
  reason: 'No.',
  obligations: null,
};
const answering = (result: unknown) => JSON.stringify([{ result }]);
const load = (fake: FakePolicy, changes: Readonly<Record<string, string | null>> = {}) =>
  loadPolicy(bundleOf(fakePolicy(fake), changes));
const invalid = (detail: RegExp) => ({
  code: 'policy.bundle_invalid',
  message: expect.stringMatching(detail),
});
const { bases } = await caseTable();
const input = Object.values(bases)[0];
if (input === undefined) throw new Error('there is no base input');

describe('a bundle', () => {
  it('is named by its sources and by its bytes', async () => {
    const policy = await loadPolicy(committedBundle());
    expect(policy.policyDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(policy.bundleDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(policy.bundleDigest).not.toBe(policy.policyDigest);
  });

  it('that is well made loads', async () => {
    const policy = await load({ answer: answering(denial) });
    expect(policy.decide(input)).toEqual(denial);
  });

  it.each([
    ['a manifest', { '.manifest': null }, /no \.manifest/],
    ['a manifest that is JSON', { '.manifest': '{' }, /no JSON/],
    ['a revision', { '.manifest': '{}' }, /revision/],
    ['the revision of its sources', { 'sources/decision.rego': 'package other' }, /digest of its sources/],
    ['the sources of its revision', { 'sources/more.rego': 'package more' }, /digest of its sources/],
    ['the data of its sources', { 'data.json': '{"roles":{"reader":{"profile":"none"}}}' }, /data is not/],
    ['data', { 'data.json': null }, /no data\.json/],
    ['WebAssembly', { 'policy.wasm': null }, /no policy\.wasm/],
    ['real WebAssembly', { 'policy.wasm': 'no wasm' }, /no WebAssembly/],
  ])('without %s is refused', async (_name, changes, detail) => {
    await expect(load({ answer: answering(denial) }, changes)).rejects.toMatchObject(invalid(detail));
  });

  it.each([
    [
      'needs a built-in that nobody has',
      { builtins: '{"time.now_ns":0,"sprintf":1}' },
      /here: time\.now_ns\./,
    ],
    ['has no entrypoint', { entrypoints: '{"gateway/other":0}' }, /no entrypoint/],
    ['says nonsense of its built-ins', { builtins: '[' }, /no compiled policy/],
    ['traps', { answer: { instead: 'trap' } }, /does not answer/],
    ['aborts', { answer: { instead: 'abort' } }, /does not answer/],
    ['takes all memory', { answer: { instead: 'exhaust-memory' } }, /does not answer/],
    ['says nothing', { answer: '[]' }, /does not answer/],
    ['says what is no JSON', { answer: '[{' }, /does not answer/],
    ['says what is no decision', { answer: answering({ verdict: 'allow' }) }, /does not answer/],
    [
      'allows nothing at all',
      {
        answer: answering({
          ...denial,
          verdict: 'allow',
          obligations: { profile: 'none', lookups: [], rowLimit: null, timeLimitSeconds: null },
        }),
      },
      /does not refuse/,
    ],
  ])('whose policy %s is refused', async (_name, fake, detail) => {
    await expect(load({ answer: answering(denial), ...fake } as FakePolicy)).rejects.toMatchObject(
      invalid(detail),
    );
  });

  it('may need the built-ins that the host has', async () => {
    const builtins = JSON.stringify(Object.fromEntries(hostBuiltins.map((name, index) => [name, index])));
    await expect(load({ builtins, answer: answering(denial) })).resolves.toBeDefined();
  });
});
