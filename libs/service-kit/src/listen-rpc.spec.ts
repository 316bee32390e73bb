import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { policyRpc } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { connectRpc, implement } from '@countersign/rpc';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createHealth } from './health.js';
import { listenRpc } from './listen-rpc.server.js';
import { createLogger } from './logging/index.js';
import { createMetrics } from './metrics.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

describe('the door for other services', () => {
  it('counts and logs calls that fail, with the causes of those that nobody foresaw', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-kit-'));
    ends.push(() => rmSync(folder, { recursive: true, force: true }));
    const lines: string[] = [];
    const context = {
      name: 'policy',
      configuration: {
        instance: 'one',
        logLevel: 'debug',
        shutdownMilliseconds: 1000,
        grpc: { address: `unix:${folder}/policy.sock` },
      },
      logger: createLogger('policy', 'info', { write: (line) => void lines.push(line) }),
      health: createHealth(),
      metrics: createMetrics('policy'),
      signal: new AbortController().signal,
      addresses: new Map<string, string>(),
    } as const;
    const server = await listenRpc(context, [
      implement(policyRpc.PolicyServiceService, {
        decide: ({ input }) => {
          if (input.length === 0) throw new CountersignError('policy.unavailable');
          throw new Error('nobody foresaw this');
        },
        async *watch() {},
      }),
    ]);
    ends.push(() => server.close(100));
    expect(context.addresses.get('grpc')).toBe(`unix:${folder}/policy.sock`);
    const client = connectRpc(policyRpc.PolicyServiceService, context.configuration.grpc);
    ends.push(() => client.close());
    for (const input of ['', 'x']) {
      const call = client.decide({ input: Buffer.from(input) }, { correlationId: 'c-1' });
      await expect(call).rejects.toMatchObject({ code: input === '' ? 'policy.unavailable' : 'internal' });
    }
    const metrics = await context.metrics.registry.metrics();
    expect(metrics).toMatch(
      /countersign_rpc_failures_total\{method="Decide",code="policy.unavailable",.*\} 1/,
    );
    const failed = lines.filter((line) => line.includes('call-failed'));
    expect(failed).toHaveLength(1);
    expect(JSON.parse(failed[0] ?? '')).toMatchObject({
      correlationid: 'c-1',
      rpc: 'countersign.policy.v1.PolicyService/Decide',
      error: { message: 'nobody foresaw this' },
    });
  });
});
