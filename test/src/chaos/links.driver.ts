import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Adjust, Settings } from '@countersign/deploy';
import { type FaultyProxy, startFaultyProxy, type Upstream } from '@countersign/testing';
import type { LinkFault } from './faults.js';

interface Peer {
  readonly address: string;
}

type Target = { readonly name: string } & (
  | { readonly host: string; readonly port: number }
  | { readonly url: string }
);

/** Connections between the processes of an installation, each through a proxy that can fail. */
export class Links {
  readonly #proxies = new Map<string, FaultyProxy>();

  get names(): readonly string[] {
    return [...this.#proxies.keys()];
  }

  /** Leads what a service connects to through proxies: the store, the target, the other services. */
  readonly adjust: Adjust = async (service, settings) => {
    const changed: Record<string, unknown> = { ...settings };
    const throughStore = async (url: string): Promise<string> => {
      const { hostname, port } = new URL(url);
      const upstream = { host: hostname, port: Number(port) };
      return url.replace(`:${port}/`, `:${await this.#through(`${service}→store`, upstream)}/`);
    };
    const { eventLog, database, targets, services } = settings as {
      readonly eventLog: string;
      readonly database?: { readonly file: string };
      readonly targets?: readonly Target[];
      readonly services?: Readonly<Record<string, Peer>>;
    };
    if (eventLog.startsWith('postgres:')) changed.eventLog = await throughStore(eventLog);
    if (database !== undefined) {
      const file = `${database.file}.linked`;
      await writeFile(file, await throughStore(await readFile(database.file, 'utf8')), { mode: 0o600 });
      changed.database = { file };
    }
    if (services !== undefined) {
      changed.targets = await Promise.all(
        (targets ?? []).map(async (target) => {
          if ('url' in target) {
            const { hostname, port } = new URL(target.url);
            const proxied = await this.#through(`${service}→${target.name}`, {
              host: hostname,
              port: Number(port),
            });
            return { ...target, url: `http://${hostname}:${proxied}` };
          }
          const { host, port } = target;
          return { ...target, port: await this.#through(`${service}→${target.name}`, { host, port }) };
        }),
      );
      changed.services = Object.fromEntries(
        await Promise.all(
          Object.entries(services).map(async ([name, { address }]) => {
            const path = address.replace(/^unix:/, '');
            return [name, { address: `127.0.0.1:${await this.#through(`${service}→${name}`, { path })}` }];
          }),
        ),
      );
    }
    return changed satisfies Settings;
  };

  /** Fails for a while, and breaks what has failed. */
  async fail(name: string, kind: LinkFault, milliseconds: number): Promise<void> {
    const proxy = this.#proxies.get(name);
    if (proxy === undefined) throw new Error(`There is no link ${name}.`);
    if (kind === 'stall') proxy.stall();
    else proxy.swallowAnswers();
    await delay(milliseconds);
    proxy.pass();
    // What was lost on the way does not come again.
    proxy.cut();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.close()));
    this.#proxies.clear();
  }

  /** The port of the link's proxy. */
  async #through(name: string, upstream: Upstream): Promise<number> {
    const known = this.#proxies.get(name);
    if (known !== undefined) return known.port;
    const proxy = await startFaultyProxy(upstream);
    this.#proxies.set(name, proxy);
    return proxy.port;
  }
}
