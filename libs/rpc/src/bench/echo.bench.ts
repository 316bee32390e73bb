// Echo calls through the channel: `node libs/rpc/dist/bench/echo.bench.js [seconds]`. The service runs in a process of its own;
// one line of JSON comes out for each setting.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { policyRpc } from '@countersign/contracts';
import { credentials } from '@grpc/grpc-js';
import { connectRpc } from '../index.js';

const seconds = Number(process.argv[2] ?? 3);
const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
const address = `unix:${join(folder, 'echo.sock')}`;
const script = fileURLToPath(new URL('../fixtures/echo.main.js', import.meta.url));
const service = spawn(process.execPath, [script, address], { stdio: ['ignore', 'pipe', 'inherit'] });
await new Promise((resolve) => createInterface({ input: service.stdout }).once('line', resolve));

const client = connectRpc(policyRpc.PolicyServiceService, { address });
await client.whenConnected();
const stock = new policyRpc.PolicyServiceClient(address, credentials.createInsecure());
const unary = (input: Buffer) =>
  new Promise<void>((resolve, reject) => {
    stock.decide({ input }, (error) => (error === null ? resolve() : reject(error)));
  });

/** Keeps so many calls in flight, and gives calls a second and quantiles of latency in milliseconds. */
async function measure(inFlight: number, once: () => Promise<unknown>, duration: number) {
  const latencies: number[] = [];
  const began = performance.now();
  const end = began + duration * 1000;
  const cpu = process.cpuUsage();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      for (let now = performance.now(); now < end; ) {
        await once();
        const after = performance.now();
        latencies.push(after - now);
        now = after;
      }
    }),
  );
  const took = (performance.now() - began) / 1000;
  const used = process.cpuUsage(cpu);
  latencies.sort((left, right) => left - right);
  const quantile = (part: number) => Number((latencies[Math.floor(latencies.length * part)] ?? 0).toFixed(3));
  return {
    callsPerSecond: Math.round(latencies.length / took),
    p50: quantile(0.5),
    p99: quantile(0.99),
    callerCpu: Number(((used.user + used.system) / 1e6 / took).toFixed(2)),
  };
}

const payloads = [64, 1024] as const;
for (const bytes of payloads) {
  const input = Buffer.alloc(bytes, 'a');
  for (const inFlight of [1, 8, 64, 256]) {
    const call = () => client.decide({ input });
    await measure(inFlight, call, 0.5);
    const result = await measure(inFlight, call, seconds);
    process.stdout.write(`${JSON.stringify({ way: 'channel', bytes, inFlight, ...result })}\n`);
  }
}
for (const inFlight of [1, 64]) {
  const input = Buffer.alloc(64, 'a');
  const result = await measure(inFlight, () => unary(input), seconds);
  process.stdout.write(`${JSON.stringify({ way: 'ordinary gRPC', bytes: 64, inFlight, ...result })}\n`);
}
process.stdout.write(
  `${JSON.stringify({ cores: availableParallelism(), load: loadavg(), node: process.version })}\n`,
);
stock.close();
client.close();
service.kill('SIGTERM');
rmSync(folder, { recursive: true, force: true });
