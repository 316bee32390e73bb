import { randomBytes } from 'node:crypto';
import { CountersignError } from '@countersign/errors';
import type { EventLog, Subscription } from '../../event-log.js';
import { checkKey, checkTopic } from '../../limits.js';
import { Appender } from './appending.driver.js';
import { administer } from './connection.driver.js';
import { explained } from './errors.js';
import { HeadReader } from './head.driver.js';
import { subscribe } from './subscribing.driver.js';
import { Topics } from './topics.driver.js';
import { parseKafkaUrl } from './url.js';

export interface KafkaEventLogOptions {
  /** Milliseconds after which one send is given up; 10,000 unless told. */
  readonly appendTimeout?: number;
}

/**
 * The event log in a Kafka cluster. Each topic has one partition, 0, made with the right settings where it is missing.
 * Errors: `config.invalid` where the URL is wrong or Kafka does not let us in, `recording.unavailable`.
 */
export async function openKafkaEventLog(url: string, options: KafkaEventLogOptions = {}): Promise<EventLog> {
  const address = parseKafkaUrl(url);
  const name = `countersign-event-log-${randomBytes(6).toString('hex')}`;
  try {
    // The client may call a connection open that the broker refused: only an answer shows that it is.
    await administer(address, name, (admin) => admin.describeCluster());
  } catch (error) {
    throw explained(error);
  }
  const topics = new Topics(address, name);
  const appender = new Appender(address, name, topics, options.appendTimeout);
  const heads = new HeadReader(address, name);
  const closing = new AbortController();
  const subscriptions = new Set<Promise<void>>();
  return {
    append: (topic, records) => appender.append(topic, records),
    head: async (topic, key) => {
      checkTopic(topic);
      checkKey(key);
      if (closing.signal.aborted) {
        throw new CountersignError('recording.unavailable', { detail: 'The log is closed.' });
      }
      await topics.ensure(topic, 'append');
      return heads.find(topic, key);
    },
    subscribe: async (subscription: Subscription) => {
      const signal = AbortSignal.any([subscription.signal, closing.signal]);
      const running = subscribe(address, name, topics, { ...subscription, signal });
      subscriptions.add(running);
      try {
        await running;
      } finally {
        subscriptions.delete(running);
      }
    },
    close: async () => {
      closing.abort();
      await Promise.all([appender.close(), heads.close(), Promise.allSettled(subscriptions)]);
    },
  };
}
