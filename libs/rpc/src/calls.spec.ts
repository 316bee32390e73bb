import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Command, commandOf, type Seen } from './fixtures/echo.js';
import { Running, refusal, until } from './fixtures/running.driver.js';
import type { FailedCall } from './index.js';

let running: Running;
let seen: Seen;
beforeEach(() => {
  running = new Running();
  seen = { calls: 0, aborted: [], watchers: 0 };
});
afterEach(() => running.end());

const input = (command: Command) => ({ input: commandOf(command) });

describe('calls', () => {
  it('each get their own answer, however many share a frame', async () => {
    await running.serve({}, seen);
    const client = running.connect();
    const asked = Array.from({ length: 1000 }, (_, index) => Buffer.from(`question ${index}`));
    const answers = await Promise.all(asked.map((input) => client.decide({ input })));
    expect(answers.map(({ decision }) => decision.toString())).toEqual(asked.map(String));
    expect(seen.calls).toBe(1000);
    expect(client.inFlight).toBe(0);
  });

  it('may be empty, and may be larger than a batch', async () => {
    await running.serve();
    const client = running.connect();
    expect((await client.decide({ input: Buffer.alloc(0) })).decision).toHaveLength(0);
    const large = Buffer.alloc(3 * 1024 * 1024, 'a');
    const answers = await Promise.all([1, 2, 3].map(() => client.decide({ input: large })));
    expect(answers.every(({ decision }) => decision.equals(large))).toBe(true);
  });

  it('made before the service is there wait for the first attempt only, then fail at once', async () => {
    const client = running.connect();
    const began = Date.now();
    expect(await refusal(client.decide(input({ do: 'hang' })))).toMatchObject({ code: 'rpc.unavailable' });
    expect(await refusal(client.decide(input({ do: 'hang' })))).toMatchObject({ code: 'rpc.unavailable' });
    expect(Date.now() - began).toBeLessThan(2000);
    await running.serve();
    await client.whenConnected();
    expect(client.connected).toBe(true);
    await client.decide({ input: Buffer.from('now') });
  });

  it('carry the correlation id', async () => {
    await running.serve();
    const client = running.connect();
    const { decision } = await client.decide(input({ do: 'context' }), { correlationId: 'c-1' });
    expect(JSON.parse(decision.toString())).toEqual({ correlationId: 'c-1', peer: null });
  });

  it('are refused after close', async () => {
    await running.serve();
    const client = running.connect();
    await client.whenConnected();
    const inFlight = refusal(client.decide(input({ do: 'hang' })));
    client.close();
    expect(await inFlight).toMatchObject({ code: 'rpc.cancelled' });
    expect(await refusal(client.decide({ input: Buffer.alloc(0) }))).toMatchObject({
      code: 'rpc.unavailable',
    });
    expect(await refusal(client.whenConnected())).toMatchObject({ code: 'rpc.unavailable' });
  });
});

describe('errors', () => {
  it('of the catalogue arrive as they were thrown', async () => {
    await running.serve();
    const client = running.connect();
    expect(await refusal(client.decide(input({ do: 'refuse' })))).toEqual({
      code: 'policy.deferred',
      message: 'Policy does not allow this action now. Until noon.',
      next: 'Come back at noon.',
    });
  });

  it.each(['throw', 'throw-text'] as const)(
    'of any other kind (%s) become internal, their text kept for logs',
    async (kind) => {
      const failed: FailedCall[] = [];
      await running.serve({ onFailure: (call) => failed.push(call) });
      const client = running.connect();
      const error = await refusal(client.decide(input({ do: kind }), { correlationId: 'c-2' }));
      expect(error.code).toBe('internal');
      expect(JSON.stringify(error)).not.toContain('4111');
      expect(failed).toMatchObject([{ method: 'Decide', correlationId: 'c-2', error: { code: 'internal' } }]);
      expect(String(failed[0]?.error.cause)).toContain('4111');
    },
  );
});

describe('deadlines', () => {
  it('are kept by the caller and told to the handler', async () => {
    await running.serve({}, seen);
    const client = running.connect();
    const began = Date.now();
    const call = client.decide(input({ do: 'hang' }), { deadlineMilliseconds: 50 });
    expect(await refusal(call)).toMatchObject({ code: 'rpc.deadline' });
    expect(Date.now() - began).toBeLessThan(1000);
    await until(() => seen.aborted.length === 1);
    expect(client.inFlight).toBe(0);
  });

  it('are kept by the server, although the caller waits on', async () => {
    const failed: string[] = [];
    const server = await running.serve({ onFailure: ({ error }) => failed.push(error.code) }, seen);
    const client = running.connect();
    await refusal(client.decide(input({ do: 'hang' }), { deadlineMilliseconds: 30 }));
    await until(() => failed.length + seen.aborted.length >= 1);
    expect(['rpc.deadline', 'rpc.cancelled']).toContain(seen.aborted[0]);
    await until(() => server.inFlight === 0);
  });

  it('do not reach calls that are quick', async () => {
    await running.serve();
    const client = running.connect();
    const quick = client.decide(input({ do: 'sleep', milliseconds: 20 }), { deadlineMilliseconds: 5000 });
    expect((await quick).decision.toString()).toContain('sleep');
  });
});

describe('cancellation', () => {
  it('ends the call at once and reaches the handler', async () => {
    const server = await running.serve({}, seen);
    const client = running.connect();
    const controller = new AbortController();
    const call = refusal(client.decide(input({ do: 'hang' }), { signal: controller.signal }));
    await until(() => server.inFlight === 1);
    controller.abort();
    expect(await call).toMatchObject({ code: 'rpc.cancelled' });
    await until(() => seen.aborted.length === 1);
    expect(seen.aborted).toEqual(['rpc.cancelled']);
    await until(() => server.inFlight === 0);
  });

  it('before the call never sends it', async () => {
    await running.serve({}, seen);
    const client = running.connect();
    await client.whenConnected();
    const late = new AbortController();
    const unsent = refusal(client.decide(input({ do: 'hang' }), { signal: late.signal }));
    late.abort();
    const early = client.decide(input({ do: 'hang' }), { signal: AbortSignal.abort() });
    expect(await refusal(early)).toMatchObject({ code: 'rpc.cancelled' });
    expect(await unsent).toMatchObject({ code: 'rpc.cancelled' });
    await client.decide({ input: Buffer.from('after') });
    expect(seen.calls).toBe(1);
  });
});

describe('bounds', () => {
  it('on calls in flight refuse one more, at the caller', async () => {
    await running.serve({}, seen);
    const client = running.connect({ maxInFlight: 3 });
    await client.whenConnected();
    const controller = new AbortController();
    const held = [1, 2, 3].map(() =>
      refusal(client.decide(input({ do: 'hang' }), { signal: controller.signal })),
    );
    expect(await refusal(client.decide({ input: Buffer.alloc(0) }))).toMatchObject({
      code: 'rpc.overloaded',
    });
    controller.abort();
    await Promise.all(held);
    await client.decide({ input: Buffer.alloc(0) });
  });

  it('on calls in flight refuse one more, at the server over all channels', async () => {
    await running.serve({ maxInFlight: 2 }, seen);
    const [first, second] = [running.connect(), running.connect()];
    const controller = new AbortController();
    const hang = (client: typeof first) =>
      refusal(client.decide(input({ do: 'hang' }), { signal: controller.signal }));
    const held = [hang(first), hang(second)];
    await until(() => seen.calls === 2);
    expect(await refusal(first.decide({ input: Buffer.alloc(0) }))).toMatchObject({ code: 'rpc.overloaded' });
    controller.abort();
    await Promise.all(held);
    await until(() => seen.aborted.length === 2);
    await second.decide({ input: Buffer.alloc(0) });
  });

  it('on work: a handler that goes on after its deadline still counts', async () => {
    const server = await running.serve({ maxInFlight: 1 }, seen);
    const client = running.connect();
    const stubborn = running.connect();
    void refusal(stubborn.decide(input({ do: 'sleep', milliseconds: 50 })));
    await until(() => server.inFlight === 1);
    expect(await refusal(client.decide({ input: Buffer.alloc(0) }))).toMatchObject({
      code: 'rpc.overloaded',
    });
    await until(() => server.inFlight === 0);
    await client.decide({ input: Buffer.alloc(0) });
  });

  it('on size refuse a request at the caller, and an answer at the server', async () => {
    await running.serve({ maxPayloadBytes: 10_000 }, seen);
    const client = running.connect();
    await client.whenConnected();
    const large = client.decide({ input: Buffer.alloc(20_000) });
    expect(await refusal(large)).toMatchObject({ code: 'request.too_large' });
    expect(seen.calls).toBe(0);
    const grown = client.decide(input({ do: 'grow', bytes: 20_000 }));
    expect((await refusal(grown)).message).toContain('answer');
    await client.decide({ input: Buffer.alloc(9000) });
  });
});
