import { createWriteStream, existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Runtime } from './runtime.js';

const IMAGE = 'apache/kafka:4.3.1';
const CLASS_PATH = ['-cp', '/opt/kafka/libs/*'];

/**
 * The container engine that answers, by testcontainers; null where none does. The broker's folder is mounted under its
 * own name and its ports are published under their own numbers, so everything is as with the machine's Java.
 */
export async function containerRuntime(): Promise<Runtime | null> {
  if (process.env.DOCKER_HOST === undefined && !existsSync('/var/run/docker.sock')) return null;
  // Loaded only where there may be an engine: it takes longer than everything else here.
  const { GenericContainer, getContainerRuntimeClient, Wait } = await import('testcontainers');
  const client = await getContainerRuntimeClient().catch(() => null);
  if (client === null) return null;
  const { uid, gid } = userInfo();
  const container = (program: string, args: readonly string[], folder: string) =>
    new GenericContainer(IMAGE)
      .withEntrypoint([program])
      .withCommand([...(program === 'java' ? CLASS_PATH : []), ...args])
      .withBindMounts([{ source: folder, target: folder }])
      .withUser(`${uid}:${gid}`)
      .withWorkingDir(folder);
  return {
    listen: '0.0.0.0',
    run: async (program, args, folder) => {
      await container(program, args, folder).withWaitStrategy(Wait.forOneShotStartup()).start();
    },
    serve: async (args, folder, ports) => {
      const started = await container('java', args, folder)
        .withExposedPorts(...ports.map((port) => ({ container: port, host: port })))
        .withLogConsumer((stream) => {
          stream.pipe(createWriteStream(join(folder, 'server.log'), { flags: 'a' }));
        })
        .withWaitStrategy(Wait.forLogMessage(/started \(/))
        .start();
      const handle = client.container.getById(started.getId());
      let ended = false;
      const isRunning = async (): Promise<boolean> => {
        const state = await handle.inspect().catch(() => null);
        ended = state?.State.Running !== true;
        return !ended;
      };
      return {
        pid: null,
        get ended() {
          return ended;
        },
        signal: async (signal) => {
          await handle.kill({ signal }).catch(() => undefined);
        },
        endsWithin: async (milliseconds) => {
          const end = performance.now() + milliseconds;
          while (await isRunning()) {
            if (performance.now() >= end) return false;
            await delay(50);
          }
          await started.stop({ timeout: 0 }).catch(() => undefined);
          return true;
        },
      };
    },
  };
}
