import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { policyRpc } from '@countersign/contracts';
import { connectRpc } from '@countersign/rpc';
import { temporaryFolder } from '@countersign/testing';
import { credentials } from '@grpc/grpc-js';
import type { Measurement } from '../results.js';
import { takeTurns } from '../ways.js';
import { keepInFlight } from './calls.js';
import type { Workload } from './workload.js';

const script = fileURLToPath(new URL('../echo.main.js', import.meta.url));

/** What a call between services costs, beside the same call over stock gRPC. */
export const echo: Workload = {
  name: 'echo',
  about: 'calls between two processes that do nothing but answer',
  async run(_stage, { seconds, rounds }) {
    const folder = await temporaryFolder('bench');
    const address = `unix:${join(folder.path, 'echo.sock')}`;
    const service = spawn(process.execPath, [script, address], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(createInterface({ input: service.stdout }), 'line');
    const channel = connectRpc(policyRpc.PolicyServiceService, { address });
    const stock = new policyRpc.PolicyServiceClient(address, credentials.createInsecure());
    const measurements: Measurement[] = [];
    try {
      await channel.whenConnected();
      for (const bytes of [64, 1024]) {
        const input = Buffer.alloc(bytes, 'a');
        const ordinary = (): Promise<void> =>
          new Promise((resolve, reject) => {
            stock.decide({ input }, (error) => (error === null ? resolve() : reject(error)));
          });
        await keepInFlight(64, 1, () => channel.decide({ input }));
        for (const inFlight of [1, 64]) {
          const ways = [
            {
              name: 'channel',
              round: () => keepInFlight(inFlight, seconds, () => channel.decide({ input })),
            },
            { name: 'stock gRPC', round: () => keepInFlight(inFlight, seconds, ordinary) },
          ];
          const setting = `${bytes} bytes, ${inFlight} in flight`;
          measurements.push(
            ...(await takeTurns(ways, rounds, { workload: 'echo', setting, unit: 'calls/s' })),
          );
        }
      }
      return { measurements };
    } finally {
      stock.close();
      channel.close();
      const ended = once(service, 'exit');
      service.kill('SIGTERM');
      await ended;
      await folder.remove();
    }
  },
};
