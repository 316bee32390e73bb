import { canonicalJson, digestOf, type maskingRpc, opaqueFacts } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { describe, expect, it } from '@jest/globals';
import type { Statement } from '../action.js';
import { MaskingClient } from './masking.client.js';
import { PolicyClient } from './policy.client.js';

const statement: Statement = {
  kind: 'statement',
  text: 'SELECT 1',
  parameterTypes: [],
  parameters: [],
  purpose: 'run',
};

const facts = Buffer.from(canonicalJson(opaqueFacts('unparsable')));

function masking(): {
  readonly client: MaskingClient;
  readonly rpc: { context: string; missing: number; calls: number; loads: number; facts: Buffer };
} {
  const rpc = { context: 'one', missing: 0, calls: 0, loads: 0, facts };
  const answer = <Response>(response: Response): Promise<Response> => {
    rpc.calls += 1;
    if (rpc.missing > 0) {
      rpc.missing -= 1;
      return Promise.reject(new CountersignError('masking.catalogue_missing'));
    }
    return Promise.resolve(response);
  };
  const result: maskingRpc.RewriteResponse['result'] = {
    $case: 'rewritten',
    value: { statement: 'SELECT 2', releasedColumns: [], masked: true },
  };
  const client = new MaskingClient(
    {
      inspect: () => answer({ facts: rpc.facts, factsDigest: digestOf(facts), contextDigest: rpc.context }),
      rewrite: () => answer<maskingRpc.RewriteResponse>({ result, contextDigest: rpc.context }),
      release: ({ cells }) =>
        answer<maskingRpc.ReleaseResponse>({
          values: cells.map(({ value }) => Buffer.from(value.toString().toUpperCase())),
        }),
    },
    1_000_000,
    async () => {
      rpc.loads += 1;
    },
  );
  return { client, rpc };
}

describe('what masking said', () => {
  it('is remembered while the stream names the context that it rests on', async () => {
    const { client, rpc } = masking();
    await client.inspect('shop', statement);
    await client.inspect('shop', statement);
    expect(rpc.calls).toBe(2);
    client.onContext('shop', 'one');
    await client.inspect('shop', statement);
    await client.rewrite('shop', statement, 'analyst', []);
    expect(client.inspect('shop', statement)).not.toBeInstanceOf(Promise);
    expect(client.rewrite('shop', statement, 'analyst', [])).not.toBeInstanceOf(Promise);
    expect(rpc.calls).toBe(4);
  });

  it('is remembered for exactly its target, text, types, profile and lookups', async () => {
    const { client } = masking();
    client.onContext('shop', 'one');
    client.onContext('other', 'one');
    await client.inspect('shop', statement);
    await client.rewrite('shop', statement, 'analyst', []);
    const asked = [
      client.inspect('other', statement),
      client.inspect('shop', { ...statement, text: 'SELECT 1 ' }),
      client.inspect('shop', { ...statement, parameterTypes: [23] }),
      client.rewrite('shop', statement, 'strict', []),
      client.rewrite('shop', statement, 'analyst', ['contact.email']),
    ];
    expect(asked.every((answer) => answer instanceof Promise)).toBe(true);
    await Promise.all(asked);
  });

  it('is forgotten when the context changes or the stream breaks', async () => {
    const { client } = masking();
    for (const forget of [() => client.onContext('shop', 'two'), () => client.onBroken()]) {
      client.onContext('shop', 'one');
      await client.inspect('shop', statement);
      expect(client.inspect('shop', statement)).not.toBeInstanceOf(Promise);
      forget();
      expect(client.inspect('shop', statement)).toBeInstanceOf(Promise);
    }
  });

  it('is not remembered where the context changed while it was asked for', async () => {
    const { client } = masking();
    client.onContext('shop', 'one');
    const asked = client.inspect('shop', statement);
    client.onContext('shop', 'two');
    await asked;
    expect(client.inspect('shop', statement)).toBeInstanceOf(Promise);
  });

  it('is asked for again once after the catalogue was read', async () => {
    const { client, rpc } = masking();
    rpc.missing = 1;
    await client.inspect('shop', statement);
    expect(rpc.loads).toBe(1);
    rpc.missing = 2;
    await expect(client.inspect('shop', statement)).rejects.toMatchObject({
      code: 'masking.catalogue_missing',
    });
  });

  it('is refused where it is not canonical, or not what its digest says', async () => {
    for (const wrong of [Buffer.concat([facts, Buffer.from(' ')]), Buffer.from('{}'), Buffer.from('x')]) {
      const { client, rpc } = masking();
      rpc.facts = wrong;
      await expect(client.inspect('shop', statement)).rejects.toMatchObject({ code: 'masking.unavailable' });
    }
  });

  it('replaces cells in calls of bounded size, in order', async () => {
    const { client, rpc } = masking();
    const cells = Array.from({ length: 25_000 }, (_, index) => ({
      label: 'l',
      value: Buffer.from(`v${index}`),
    }));
    const values = await client.release('shop', 'analyst', cells);
    expect([rpc.calls, values.length, String(values[24_999])]).toEqual([3, 25_000, 'V24999']);
  });
});

describe('what policy decided', () => {
  const decision = {
    verdict: 'allow',
    rules: ['r'],
    reason: 'x',
    obligations: { profile: 'none', lookups: [], rowLimit: null, timeLimitSeconds: null },
  };

  function policy(held: unknown = decision): {
    readonly client: PolicyClient;
    readonly rpc: { calls: number; digest: string };
  } {
    const rpc = { calls: 0, digest: 'sha256:one' };
    const client = new PolicyClient(
      {
        decide: async ({ input }) => {
          rpc.calls += 1;
          return {
            decision: Buffer.from(JSON.stringify(held)),
            inputDigest: digestOf(input),
            policyDigest: rpc.digest,
          };
        },
      },
      1_000_000,
    );
    return { client, rpc };
  }
  const question = (key: string) => ({ key, time: 1, input: () => `{"key":"${key}"}` });

  it('is remembered while the same policy is active', async () => {
    const { client, rpc } = policy();
    await client.decide(question('a'));
    expect(client.decide(question('a'))).toBeInstanceOf(Promise);
    client.onActive('sha256:one');
    await client.decide(question('a'));
    expect(client.decide(question('a'))).not.toBeInstanceOf(Promise);
    expect(client.decide(question('b'))).toBeInstanceOf(Promise);
    client.onActive('sha256:two');
    await client.decide(question('a'));
    expect(client.decide(question('a'))).toBeInstanceOf(Promise);
    rpc.digest = 'sha256:two';
    await client.decide(question('a'));
    expect(client.decide(question('a'))).not.toBeInstanceOf(Promise);
    client.onBroken();
    expect(client.decide(question('a'))).toBeInstanceOf(Promise);
  });

  it.each([
    ['no rule', { ...decision, rules: [] }],
    ['an unknown verdict', { ...decision, verdict: 'maybe' }],
    [
      'an obligation that nobody knows here',
      { ...decision, obligations: { ...decision.obligations, watermark: true } },
    ],
    ['a limit that is none', { ...decision, obligations: { ...decision.obligations, rowLimit: -1 } }],
    ['nothing', null],
  ])('counts for nothing with %s', async (_what, held) => {
    await expect(policy(held).client.decide(question('a'))).rejects.toMatchObject({
      code: 'policy.unavailable',
    });
  });

  it('counts for nothing where it answers another input', async () => {
    const client = new PolicyClient(
      {
        decide: async () => ({
          decision: Buffer.from(JSON.stringify(decision)),
          inputDigest: 'sha256:other',
          policyDigest: 'sha256:one',
        }),
      },
      1000,
    );
    await expect(client.decide(question('a'))).rejects.toMatchObject({ code: 'policy.unavailable' });
  });
});
