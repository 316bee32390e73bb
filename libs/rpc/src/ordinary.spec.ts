import { policyRpc } from '@countersign/contracts';
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { errorTrailer } from './failure.js';
import { type Command, commandOf, type Seen } from './fixtures/echo.js';
import { Running, until } from './fixtures/running.driver.js';

let running: Running;
let seen: Seen;
beforeEach(() => {
  running = new Running();
  seen = { calls: 0, aborted: [], watchers: 0 };
});
afterEach(() => running.end());

/** The stock client that ts-proto generates: it knows nothing of the channel. */
function stock() {
  const client = new policyRpc.PolicyServiceClient(running.socket(), credentials.createInsecure());
  running.later(() => client.close());
  return client;
}

function ask(
  client: policyRpc.PolicyServiceClient,
  command: Command | string,
  options: { metadata?: Metadata; deadline?: number } = {},
): Promise<policyRpc.DecideResponse | ServiceError> {
  const input = typeof command === 'string' ? Buffer.from(command) : commandOf(command);
  return new Promise((resolve) => {
    client.decide(
      { input },
      options.metadata ?? new Metadata(),
      options.deadline === undefined ? {} : { deadline: Date.now() + options.deadline },
      (error, response) => resolve(error ?? response),
    );
  });
}

describe('the same methods as ordinary gRPC', () => {
  it('answer', async () => {
    await running.serve({}, seen);
    expect(await ask(stock(), 'plain')).toMatchObject({ decision: Buffer.from('plain') });
  });

  it('give errors as status, sentence and trailer', async () => {
    await running.serve();
    const error = (await ask(stock(), { do: 'refuse' })) as ServiceError;
    expect(error).toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: 'Policy does not allow this action now. Until noon.',
    });
    expect(JSON.parse(String(error.metadata.get(errorTrailer)[0]))).toEqual({
      code: 'policy.deferred',
      detail: 'Until noon.',
      next: 'Come back at noon.',
    });
    const hidden = (await ask(stock(), { do: 'throw' })) as ServiceError;
    expect(hidden.code).toBe(status.INTERNAL);
    expect(JSON.stringify([hidden.details, hidden.metadata.toJSON()])).not.toContain('4111');
  });

  it('keep deadlines, cancellation, bounds and the correlation id', async () => {
    const server = await running.serve({ maxInFlight: 1, maxPayloadBytes: 10_000 }, seen);
    const client = stock();
    expect(await ask(client, { do: 'hang' }, { deadline: 50 })).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
    });
    await until(() => seen.aborted.length === 1 && server.inFlight === 0);

    const held = client.decide({ input: commandOf({ do: 'hang' }) }, () => undefined);
    await until(() => server.inFlight === 1);
    expect(await ask(client, 'one more')).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    held.cancel();
    await until(() => seen.aborted.length === 2 && server.inFlight === 0);

    expect(await ask(client, { do: 'grow', bytes: 20_000 })).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
    const metadata = new Metadata();
    metadata.set('x-correlation-id', 'c-3');
    const answer = (await ask(client, { do: 'context' }, { metadata })) as policyRpc.DecideResponse;
    expect(JSON.parse(answer.decision.toString())).toEqual({ correlationId: 'c-3', peer: null });
  });

  it('stream', async () => {
    await running.serve({}, seen);
    const digests: string[] = [];
    for await (const message of stock().watch({})) {
      digests.push((message as policyRpc.WatchResponse).policyDigest);
      if (digests.length === 2) break;
    }
    expect(digests).toEqual(['0', '1']);
  });

  it('are cut off with the server', async () => {
    const server = await running.serve({}, seen);
    const held = ask(stock(), { do: 'hang' });
    await until(() => server.inFlight === 1);
    await server.close(50);
    expect(await held).toMatchObject({ code: status.UNAVAILABLE });
  });
});
