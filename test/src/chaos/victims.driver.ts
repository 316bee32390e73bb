import { setTimeout as delay } from 'node:timers/promises';
import type { SupervisedProcess } from '@countersign/deploy';
import { type PostgresInstance, waitUntil } from '@countersign/testing';
import type { Installation } from '../e2e/support/index.js';
import type { Fault, ProcessFault, Victims } from './faults.js';
import type { Links } from './links.driver.js';

type Strike = (kind: ProcessFault, milliseconds: number) => Promise<void>;

const service =
  (supervised: SupervisedProcess): Strike =>
  async (kind, milliseconds) => {
    if (kind === 'kill') {
      const before = supervised.pid;
      supervised.signal('SIGKILL');
      // Nobody but its supervisor starts it again.
      await waitUntil(() => supervised.pid !== before, { what: `${supervised.name} to be started again` });
      return;
    }
    supervised.signal('SIGSTOP');
    await delay(milliseconds);
    supervised.signal('SIGCONT');
  };

const server =
  (instance: PostgresInstance): Strike =>
  async (kind, milliseconds) => {
    if (kind === 'kill') {
      await instance.kill();
      await delay(milliseconds);
      await instance.restart();
      return;
    }
    instance.freeze();
    await delay(milliseconds);
    instance.thaw();
  };

/** All that can be struck in an installation. */
export class Everything implements Victims {
  readonly #processes: ReadonlyMap<string, Strike>;
  readonly #links: Links;

  constructor({ deployment }: Installation, links: Links) {
    this.#processes = new Map<string, Strike>([
      ...[...deployment.services].map(([name, supervised]) => [name, service(supervised)] as const),
      ['store', server(deployment.store.instance)],
      ['target', server(deployment.target.instance)],
    ]);
    this.#links = links;
  }

  get processes(): readonly string[] {
    return [...this.#processes.keys()];
  }

  get links(): readonly string[] {
    return this.#links.names;
  }

  /** Waits its time, strikes, and resolves when what was struck may work again. */
  async strike({ victim, kind, afterMilliseconds, forMilliseconds }: Fault): Promise<void> {
    await delay(afterMilliseconds);
    if (kind === 'kill' || kind === 'stop') await this.#processes.get(victim)?.(kind, forMilliseconds);
    else await this.#links.fail(victim, kind, forMilliseconds);
  }
}
