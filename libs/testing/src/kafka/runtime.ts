import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findJava, kafkaJars } from './jars.js';

/** A broker that runs. */
export interface Running {
  readonly pid: number | null;
  readonly ended: boolean;
  signal(signal: NodeJS.Signals): Promise<void>;
  /** Whether it has ended by itself within so many milliseconds. */
  endsWithin(milliseconds: number): Promise<boolean>;
}

/** What runs Kafka's programs: the machine's Java, or a container engine. */
export interface Runtime {
  /** Address that a broker listens at, so that 127.0.0.1 of this machine reaches it. */
  readonly listen: string;
  /** Runs a program to its end; `folder` is what it reads and writes. */
  run(program: 'java' | 'keytool', args: readonly string[], folder: string): Promise<void>;
  /** Starts a broker, which writes `<folder>/server.log`. */
  serve(args: readonly string[], folder: string, ports: readonly number[]): Promise<Running>;
}

const running = new Set<ChildProcess>();
// A test process that ends early takes its brokers with it.
process.on('exit', () => {
  for (const child of running) child.kill('SIGTERM');
});

/** The machine's Java, with jars from Maven Central. Errors: `config.invalid` where either is not to be had. */
export async function javaRuntime(): Promise<Runtime> {
  const java = await findJava();
  const jars = await kafkaJars();
  const classPath = ['-cp', `${jars}/*`];
  return {
    listen: '127.0.0.1',
    run: async (program, args) => {
      const isJava = program === 'java';
      const command = isJava ? java : join(dirname(java), 'keytool');
      await promisify(execFile)(command, [...(isJava ? classPath : []), ...args], {
        maxBuffer: 16 * 1024 * 1024,
      });
    },
    serve: async (args, folder) => {
      const log = await open(join(folder, 'server.log'), 'a');
      // A process group of its own: Ctrl-C is for whoever started it, who stops it last.
      const child = spawn(java, [...classPath, ...args], {
        cwd: folder,
        stdio: ['ignore', log.fd, log.fd],
        detached: true,
        env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
      });
      await log.close();
      running.add(child);
      child.once('exit', () => running.delete(child));
      child.once('error', () => running.delete(child));
      const ended = () => !running.has(child);
      return {
        pid: child.pid ?? null,
        get ended() {
          return ended();
        },
        signal: async (signal) => {
          child.kill(signal);
        },
        endsWithin: async (milliseconds) => {
          if (ended()) return true;
          const timer = new AbortController();
          const exited = once(child, 'exit').then(() => true);
          const late = delay(milliseconds, false, { signal: timer.signal }).catch(() => false);
          const result = await Promise.race([exited, late]);
          timer.abort();
          return result;
        },
      };
    },
  };
}
