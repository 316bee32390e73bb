import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CountersignError } from '@countersign/errors';
import { openCache } from '../cache.js';
import { freePort } from '../free-port.js';
import { instanceFolder } from '../instances.js';
import { ADMINISTRATOR, Broker } from './broker.js';
import { containerRuntime } from './container.js';
import { sweepLeftovers } from './leftovers.js';
import { javaRuntime, type Runtime } from './runtime.js';
import type { BrokerSettings } from './settings.js';

export interface KafkaOptions {
  /** More lines of server.properties. */
  readonly settings?: Readonly<Record<string, string>>;
  /**
   * Passwords of those who may log in (SCRAM-SHA-512), by name. With them the broker lets nobody in without, and each
   * do only what an access list grants; `admin` may do everything. Taken when the folder is new.
   */
  readonly users?: Readonly<Record<string, string>>;
  /** Clients speak TLS, with a certificate of the broker's own making. */
  readonly tls?: boolean;
  /** A second listener on `port` that clients are told to reach at `advertised`: for a proxy in between. */
  readonly behind?: { readonly port: number; readonly advertised: number };
  /** Folder of the data, kept after `stop`; made where missing. Without it: temporary. */
  readonly data?: string;
  /** Without it: a free one. */
  readonly port?: number;
  /** Only the machine's Java, although a container engine may answer. */
  readonly java?: boolean;
}

export interface KafkaInstance {
  readonly host: string;
  readonly port: number;
  /** PEM file of whom clients have to trust; null without TLS. */
  readonly authorityFile: string | null;
  readonly logFile: string;
  /** URL of the event log on this broker, as the administrator unless another is named. */
  url(user?: string): string;
  /** Stops in order and removes temporary data. */
  stop(): Promise<void>;
  /** SIGKILL; the data stays for `restart`. */
  kill(): Promise<void>;
  /** Starts again on the same data and port; stops first where it runs. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stand, and nothing is answered. */
  freeze(): Promise<void>;
  /** Ends `freeze`. */
  thaw(): Promise<void>;
}

const host = '127.0.0.1';
let found: Promise<Runtime> | undefined;

/** A container engine if one answers, else the machine's Java. Errors: `config.invalid` where neither is to be had. */
async function findRuntime(java: boolean): Promise<Runtime> {
  if (java) return javaRuntime();
  found ??= (async () => (await containerRuntime()) ?? (await javaRuntime()))();
  return found;
}

/**
 * Starts a Kafka broker of its own (one KRaft node). Errors: `config.invalid` where there is no way to run one,
 * `service.port_in_use` where `port` is given and taken, `service.disk_full`; otherwise an Error with the end of its log.
 */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaInstance> {
  const runtime = await findRuntime(options.java === true);
  const cache = await openCache('kafka');
  await sweepLeftovers(cache);
  const folder = options.data === undefined ? await instanceFolder(cache) : resolve(options.data);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const users: Readonly<Record<string, string>> =
    options.users === undefined
      ? {}
      : { [ADMINISTRATOR]: randomBytes(24).toString('base64url'), ...options.users };
  try {
    for (let attempt = 1; ; attempt += 1) {
      const settings: BrokerSettings = {
        folder,
        listen: runtime.listen,
        port: options.port ?? (await freePort()),
        controllerPort: await freePort(),
        behind: options.behind ?? null,
        administratorPassword: users[ADMINISTRATOR] ?? null,
        tls: options.tls === true,
        own: options.settings ?? {},
      };
      const broker = new Broker(runtime, settings, users);
      try {
        await broker.start();
      } catch (error) {
        const taken = error instanceof CountersignError && error.code === 'service.port_in_use';
        if (taken && options.port === undefined && attempt < 5) continue;
        throw error;
      }
      return instance(broker, options.data === undefined);
    }
  } catch (error) {
    if (options.data === undefined) await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function instance(broker: Broker, temporary: boolean): KafkaInstance {
  const { folder, port, tls } = broker.settings;
  const authorityFile = tls ? join(folder, 'authority.pem') : null;
  return {
    host,
    port,
    authorityFile,
    logFile: broker.logFile,
    url: (user = ADMINISTRATOR) => {
      const password = broker.users[user];
      const login = password === undefined ? '' : `${user}:${encodeURIComponent(password)}@`;
      const query = authorityFile === null ? '' : `?tls=${encodeURIComponent(authorityFile)}`;
      return `kafka://${login}${host}:${port}${query}`;
    },
    kill: () => broker.kill(),
    restart: async () => {
      await broker.stop();
      await broker.start();
    },
    freeze: () => broker.signal('SIGSTOP'),
    thaw: () => broker.signal('SIGCONT'),
    stop: async () => {
      await broker.stop();
      if (temporary) await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

let told = false;

const given = (): string | null => process.env.KAFKA_BROKERS || null;

/**
 * Why tests can have no Kafka here; null where they can. Says so once. Throws instead where REQUIRE_KAFKA=1 demands one.
 * @param whose one that KAFKA_BROKERS names will do for `any`; `own` may be killed and set up
 */
export async function whyNoKafka(whose: 'any' | 'own' = 'own'): Promise<string | null> {
  if (whose === 'any' && given() !== null) return null;
  try {
    await findRuntime(false);
    return null;
  } catch (error) {
    if (process.env.REQUIRE_KAFKA === '1') throw error;
    const reason = error instanceof CountersignError ? (error.detail ?? error.message) : String(error);
    if (!told) process.stdout.write(`SKIP Kafka: ${reason}\n`);
    told = true;
    return reason;
  }
}

/**
 * A Kafka that a test only uses, and does not stop, kill or set up: the cluster that KAFKA_BROKERS names
 * (`[user:password@]host:port,…[?tls=…]`), or a broker of its own.
 */
export async function someKafka(): Promise<Pick<KafkaInstance, 'url' | 'stop'>> {
  const brokers = given();
  if (brokers === null) return startKafka();
  return { url: () => `kafka://${brokers}`, stop: async () => undefined };
}
