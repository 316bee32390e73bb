import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CountersignError } from '@countersign/errors';
import type { Running, Runtime } from './runtime.js';
import { ADMINISTRATOR, type BrokerSettings, KEY_STORE_PASSWORD, serverProperties } from './settings.js';

const READY_WITHIN = 120_000;
const STOPPED_WITHIN = 20_000;
const READY = 'Kafka Server started';

const logging = fileURLToPath(new URL('../../kafka/log4j2.properties', import.meta.url));
// Started often and for short: the quick compiler and the simple collector are faster here.
const QUICK = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** One KRaft node in a folder of its own. */
export class Broker {
  #running: Running | null = null;

  constructor(
    readonly runtime: Runtime,
    readonly settings: BrokerSettings,
    /** Passwords by name, of all who may log in. */
    readonly users: Readonly<Record<string, string>>,
  ) {}

  get logFile(): string {
    return join(this.settings.folder, 'server.log');
  }

  /** Starts it; the first time also makes its certificate and formats its folder. */
  async start(): Promise<void> {
    const { folder, tls } = this.settings;
    await writeFile(join(folder, 'server.properties'), serverProperties(this.settings), { mode: 0o600 });
    await writeFile(join(folder, 'log4j2.properties'), await readFile(logging));
    if (tls && !existsSync(join(folder, 'tls.p12'))) await this.#makeCertificate();
    if (!existsSync(join(folder, 'data/meta.properties'))) await this.#format();
    const size = (await readFile(this.logFile).catch(() => Buffer.alloc(0))).length;
    const { port, behind } = this.settings;
    const running = await this.runtime.serve(
      ['-Xmx256m', ...QUICK, ...this.#logging(), 'kafka.Kafka', join(folder, 'server.properties')],
      folder,
      [port, ...(behind === null ? [] : [behind.port])],
    );
    this.#running = running;
    await writeFile(join(folder, 'broker.pid'), String(running.pid ?? ''));
    const end = performance.now() + READY_WITHIN;
    for (;;) {
      const text = (await readFile(this.logFile)).subarray(size).toString('utf8');
      if (text.includes(READY)) return;
      if (running.ended || performance.now() > end) {
        await this.kill();
        throw explain(text.slice(-4000), this.settings);
      }
      await delay(20);
    }
  }

  /** In order, and after some time anyway. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    await running.signal('SIGCONT');
    await running.signal('SIGTERM');
    if (await running.endsWithin(STOPPED_WITHIN)) this.#running = null;
    else await this.kill();
  }

  async kill(): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    await running.signal('SIGKILL');
    await running.endsWithin(STOPPED_WITHIN);
    this.#running = null;
  }

  /** SIGSTOP and SIGCONT, for a broker that is there and does not answer. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    await this.#running?.signal(signal);
  }

  #logging(): string[] {
    return [`-Dlog4j2.configurationFile=${join(this.settings.folder, 'log4j2.properties')}`];
  }

  async #makeCertificate(): Promise<void> {
    const { folder } = this.settings;
    const store = ['-alias', 'kafka', '-keystore', join(folder, 'tls.p12'), '-storepass', KEY_STORE_PASSWORD];
    const subject = ['-dname', 'CN=localhost', '-ext', 'san=ip:127.0.0.1,dns:localhost', '-validity', '3650'];
    const key = ['-keyalg', 'EC', '-groupname', 'secp256r1', '-storetype', 'PKCS12'];
    await this.runtime.run('keytool', ['-genkeypair', ...store, ...subject, ...key], folder);
    const authority = ['-exportcert', '-rfc', ...store, '-file', join(folder, 'authority.pem')];
    await this.runtime.run('keytool', authority, folder);
  }

  async #format(): Promise<void> {
    const { folder } = this.settings;
    // A folder that was left half formatted is formatted anew: it holds nothing yet.
    await rm(join(folder, 'data'), { recursive: true, force: true });
    await mkdir(join(folder, 'data'), { mode: 0o700 });
    const credentials = Object.entries(this.users).flatMap(([name, password]) => [
      '--add-scram',
      `SCRAM-SHA-512=[name=${name},password=${password}]`,
    ]);
    const id = randomBytes(16).toString('base64url');
    const format = ['format', '-t', id, '-c', join(folder, 'server.properties'), ...credentials];
    // By file: everybody on a machine sees the arguments of a process.
    const file = join(folder, 'format.arguments');
    await writeFile(file, format.map((one) => `${one}\n`).join(''), { mode: 0o600 });
    try {
      await this.runtime.run(
        'java',
        [...QUICK, ...this.#logging(), 'kafka.tools.StorageTool', `@${file}`],
        folder,
      );
    } finally {
      await rm(file, { force: true });
    }
  }
}

function explain(log: string, settings: BrokerSettings): Error {
  const cause = new Error(`Kafka did not start: ${log}`);
  if (/Address already in use|BindException/.test(log)) {
    return new CountersignError('service.port_in_use', {
      detail: `Kafka wants port ${settings.port}.`,
      cause,
    });
  }
  if (/No space left on device/.test(log)) return new CountersignError('service.disk_full', { cause });
  return cause;
}

export { ADMINISTRATOR };
