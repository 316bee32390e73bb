import { connect as connectSocket } from 'node:net';
import { channelRpc } from '@countersign/contracts';
import { Client, credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeTrailer } from './failure.js';
import { Running } from './fixtures/running.driver.js';

let running: Running;
beforeEach(() => {
  running = new Running();
});
afterEach(() => running.end());

const method = channelRpc.ChannelServiceService.channel;
const service = 'countersign.policy.v1.PolicyService';

/** Sends raw frames over a channel, and says how the stream ended, or that it did not within 50 ms of the last. */
function send(frames: readonly Uint8Array[], settle = 50): Promise<string> {
  return new Promise((resolve) => {
    const client = new Client(running.socket(), credentials.createInsecure());
    const stream = client.makeBidiStreamRequest(
      method.path,
      (bytes: Uint8Array) => Buffer.from(bytes),
      method.responseDeserialize,
    );
    const end = (how: string) => {
      clearTimeout(timer);
      stream.cancel();
      client.close();
      resolve(how);
    };
    const timer = setTimeout(end, settle, 'open');
    stream.on('data', () => undefined);
    stream.on('error', (error: Error & { code?: number }) => end(`status ${error.code}`));
    stream.on('end', () => end('ended'));
    for (const frame of frames) stream.write(frame);
  });
}

const frame = (part: Partial<channelRpc.ChannelRequest>) =>
  channelRpc.ChannelRequest.encode({ service: '', calls: [], cancelled: [], ...part }).finish();
const call = (part: Partial<channelRpc.Call>): channelRpc.Call => ({
  id: 1,
  method: 'Decide',
  deadlineMilliseconds: 100,
  payload: Buffer.alloc(0),
  correlationId: '',
  ...part,
});
const hanging = call({ payload: Buffer.from([0x0a, 0x0d, ...Buffer.from('{"do":"hang"}')]) });

describe('frames that break the protocol', () => {
  it.each([
    ['no service', [frame({})], 'status 12'],
    ['an unknown service', [frame({ service: 'x.Y' })], 'status 12'],
    ['the service named twice', [frame({ service }), frame({ service })], 'status 3'],
    ['an id in use', [frame({ service, calls: [hanging, hanging] })], 'status 3'],
    ['bytes that are no message', [frame({ service }), Buffer.from('ffffffff', 'hex')], 'status 13'],
    ['an unknown method', [frame({ service, calls: [call({ method: 'Nothing' })] })], 'open'],
    ['a method of Object', [frame({ service, calls: [call({ method: 'constructor' })] })], 'open'],
    ['a stream asked for as a call', [frame({ service, calls: [call({ method: 'Watch' })] })], 'open'],
    [
      'a payload that is no request',
      [frame({ service, calls: [call({ payload: Buffer.from('ff', 'hex') })] })],
      'open',
    ],
    ['cancellation of nothing', [frame({ service, cancelled: [1, 2, 3] })], 'open'],
  ])('%s', async (_, frames, expected) => {
    await running.serve();
    expect(await send(frames)).toBe(expected);
    await running.connect().decide({ input: Buffer.from('still there') });
  });

  it('of any content leave the service working and nothing in flight', async () => {
    const server = await running.serve();
    const client = running.connect();
    await client.whenConnected();
    const anyCall = fc.record({
      id: fc.integer({ min: 0, max: 5 }),
      method: fc.oneof(fc.constantFrom('Decide', 'Watch', '', '__proto__'), fc.string()),
      deadlineMilliseconds: fc.integer({ min: 0, max: 50 }),
      payload: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
      correlationId: fc.string(),
    });
    const anyFrame = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .record({
          service: fc.constantFrom('', service),
          calls: fc.array(anyCall, { maxLength: 5 }),
          cancelled: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 5 }),
        })
        .map((content) => channelRpc.ChannelRequest.encode(content).finish()),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(anyFrame, { maxLength: 6 }), async (frames) => {
        await send([frame({ service }), ...frames], 10);
        const { decision } = await client.decide({ input: Buffer.from('ping') });
        return decision.toString() === 'ping';
      }),
      { numRuns: 150 },
    );
    expect(server.inFlight).toBe(0);
  });

  it('below gRPC leave the service working', async () => {
    const server = await running.serve({ address: '127.0.0.1:0' });
    const client = running.connect({ address: server.address });
    const port = Number(server.address.split(':')[1]);
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.uint8Array({ maxLength: 500 }), async (withPreface, bytes) => {
        await new Promise<void>((resolve) => {
          const socket = connectSocket(port, '127.0.0.1');
          socket.on('error', () => undefined);
          socket.on('close', () => resolve());
          socket.on('data', () => undefined);
          socket.write(withPreface ? Buffer.concat([preface, bytes]) : bytes);
          setTimeout(() => socket.destroy(), 5);
        });
        await client.decide({ input: Buffer.from('ping') });
      }),
      { numRuns: 60 },
    );
  });
});

describe('an error trailer', () => {
  it('of any content is read or ignored', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          const error = decodeTrailer(bytes);
          return error === undefined || error.name === 'CountersignError';
        },
      ),
    );
  });
});
