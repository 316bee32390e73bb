import { join } from 'node:path';
import { topics } from '@countersign/contracts';
import { createEventLogTopics } from '@countersign/event-log';
import { type KafkaInstance, startKafka } from '@countersign/testing';
import { type DeployedService, type Store, serviceNames, watcher } from '../databases/index.js';
import type { Secrets } from '../state/index.js';
import type { EventLogKind } from './kind.store.js';

export interface DeployedEventLog {
  readonly kind: EventLogKind;
  /** What it is, for whoever started the installation. */
  readonly name: string;
  /** URL of a service, which appends to its own topic, or of whoever may only read. */
  url(user: DeployedService | typeof watcher): string;
  /** The broker, where the installation has one of its own. */
  readonly broker: KafkaInstance | null;
  stop(): Promise<void>;
}

/** Events in the installation's store. */
export function eventLogInStore(store: Store): DeployedEventLog {
  return {
    kind: 'postgres',
    name: 'PostgreSQL',
    url: (user) => store.url(user, 'event_log'),
    broker: null,
    stop: async () => undefined,
  };
}

/** Events in a cluster that is there already; everybody comes as the one user that the URL names. */
export async function eventLogInCluster(url: string): Promise<DeployedEventLog> {
  await createEventLogTopics(url, Object.values(topics));
  return {
    kind: 'cluster',
    name: `Kafka at ${url.replace(/^kafka:\/\/(.*@)?/, '').replace(/\?.*/, '')}`,
    url: () => url,
    broker: null,
    stop: async () => undefined,
  };
}

/**
 * Events in a Kafka broker of the installation's own, loopback only, by the machine's Java: a login for each service,
 * who appends to its own topic, and one that may only read. Errors: `config.invalid` where Java or Maven are missing.
 */
export async function startEventLogBroker(
  data: string,
  port: number,
  secrets: Secrets,
): Promise<DeployedEventLog> {
  const names = ['admin', ...serviceNames, watcher] as const;
  const users = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await secrets.password(`kafka.${name}`)] as const)),
  );
  const broker = await startKafka({ data: join(data, 'kafka'), port, users, java: true });
  try {
    await createEventLogTopics(broker.url(), Object.values(topics), {
      append: Object.fromEntries(serviceNames.map((service) => [service, [topics[service]]])),
      read: ['evidence', watcher],
    });
  } catch (error) {
    await broker.stop();
    throw error;
  }
  return {
    kind: 'kafka',
    name: `Kafka on port ${port}`,
    url: (user) => broker.url(user),
    broker,
    stop: () => broker.stop(),
  };
}
