import { randomBytes } from 'node:crypto';
import { CountersignError } from '@countersign/errors';
import type { EventLog, Subscription } from '../../event-log.js';
import { checkKey, checkTopic } from '../../limits.js';
import { Appender } from './appending.driver.js';
import { readHead } from './reading.driver.js';
import { ensureSchema } from './schema.driver.js';
import { SideConnection } from './side.driver.js';
import { subscribe } from './subscribing.driver.js';

export interface PostgresEventLogOptions {
  /** Milliseconds after which an appending statement is given up; 10,000 unless told. */
  readonly appendTimeout?: number;
}

/** The event log in a PostgreSQL database, schema `event_log`. Each topic has one partition, 0. */
export async function openPostgresEventLog(
  url: string,
  options: PostgresEventLogOptions = {},
): Promise<EventLog> {
  if (!URL.canParse(url)) {
    throw new CountersignError('config.invalid', { detail: 'The URL of the event log cannot be read.' });
  }
  const name = `countersign-event-log-${randomBytes(6).toString('hex')}`;
  const side = new SideConnection(url, `${name}-side`);
  const appender = new Appender(url, name, side.notify, options.appendTimeout);
  try {
    await ensureSchema(await appender.connect());
  } catch (error) {
    await appender.close();
    throw error;
  }
  const closing = new AbortController();
  const subscriptions = new Set<Promise<void>>();
  return {
    append: (topic, records) => appender.append(topic, records),
    head: async (topic, key) => {
      checkTopic(topic);
      checkKey(key);
      return side.use(({ client }) => readHead(client, topic, key));
    },
    subscribe: async (subscription: Subscription) => {
      const signal = AbortSignal.any([subscription.signal, closing.signal]);
      const running = subscribe(url, `${name}-read`, { ...subscription, signal });
      subscriptions.add(running);
      try {
        await running;
      } finally {
        subscriptions.delete(running);
      }
    },
    close: async () => {
      closing.abort();
      await Promise.all([appender.close(), side.close(), Promise.allSettled(subscriptions)]);
    },
  };
}
