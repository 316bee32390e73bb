import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Running, refusal, until } from './fixtures/running.driver.js';
import { watchForever } from './index.js';

let running: Running;
beforeEach(() => {
  running = new Running();
});
afterEach(() => running.end());

describe('a stream', () => {
  it('gives messages in order and ends with the loop, at the server too', async () => {
    const seen = { calls: 0, aborted: [], watchers: 0 };
    await running.serve({}, seen);
    const client = running.connect();
    const digests: string[] = [];
    for await (const { policyDigest } of client.watch({})) {
      digests.push(policyDigest);
      if (digests.length === 3) break;
    }
    expect(digests).toEqual(['0', '1', '2']);
    await until(() => seen.watchers === 0);
  });

  it('ends with its signal', async () => {
    await running.serve();
    const client = running.connect();
    const controller = new AbortController();
    const reading = (async () => {
      for await (const _ of client.watch({}, { signal: controller.signal })) controller.abort();
    })();
    expect(await refusal(reading)).toMatchObject({ code: 'rpc.cancelled' });
  });

  it('of a service that is not there fails at once', async () => {
    const client = running.connect();
    const reading = (async () => {
      for await (const _ of client.watch({}));
    })();
    expect(await refusal(reading)).toMatchObject({ code: 'rpc.unavailable' });
  });

  it('is told that the server stops', async () => {
    const server = await running.serve();
    const client = running.connect();
    const reading = refusal(
      (async () => {
        for await (const _ of client.watch({}));
      })(),
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    const began = Date.now();
    await server.close(3000);
    expect(Date.now() - began).toBeLessThan(1500);
    expect(await reading).toMatchObject({ code: 'service.stopping' });
  });
});

describe('watching for ever', () => {
  it('says each break, reads again after it, and ends with its signal', async () => {
    const client = running.connect();
    const controller = new AbortController();
    let [messages, broken] = [0, 0];
    const watching = watchForever(() => client.watch({}), {
      onMessage: () => {
        messages += 1;
      },
      onBroken: () => {
        broken += 1;
      },
      signal: controller.signal,
    });
    // Nothing there yet: that is a break as well.
    await until(() => broken > 0);
    for (let round = 0; round < 2; round += 1) {
      const child = await running.spawn();
      const before = messages;
      await until(() => messages > before + 2);
      const breaks = broken;
      child.kill('SIGKILL');
      await until(() => broken > breaks);
    }
    controller.abort();
    await watching;
  });

  it('ends while a stream is open, without calling that a break', async () => {
    await running.serve();
    const client = running.connect();
    const controller = new AbortController();
    const broken: string[] = [];
    let messages = 0;
    const watching = watchForever(() => client.watch({}), {
      onMessage: () => {
        messages += 1;
      },
      onBroken: ({ code }) => broken.push(code),
      signal: controller.signal,
    });
    await until(() => messages > 2);
    controller.abort();
    await watching;
    expect(broken).toEqual([]);
  });

  it('counts an error of the reader as a break', async () => {
    await running.serve();
    const client = running.connect();
    const controller = new AbortController();
    const broken: string[] = [];
    await watchForever((signal) => client.watch({}, { signal }), {
      onMessage: () => {
        throw new Error('cannot use it');
      },
      onBroken: ({ code }) => {
        broken.push(code);
        if (broken.length === 2) controller.abort();
      },
      signal: controller.signal,
    });
    expect(broken).toEqual(['internal', 'internal']);
  });
});
