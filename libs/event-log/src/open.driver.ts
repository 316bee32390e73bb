import { CountersignError } from '@countersign/errors';
import { openKafkaEventLog } from './drivers/kafka/index.js';
import { openPostgresEventLog } from './drivers/postgres/index.js';
import type { EventLog } from './event-log.js';

/**
 * Opens the event log that a URL names: `postgres://…` or `kafka://…`. Creates or upgrades its schema or its topics
 * where the role may; a role that may only append and read finds them made (`createEventLogSchema`,
 * `createEventLogTopics`).
 * Errors: `config.invalid`, `recording.unavailable` where it cannot be reached.
 */
export async function openEventLog(url: string): Promise<EventLog> {
  const scheme = /^([a-z]+):\/\//.exec(url)?.[1];
  if (scheme === 'postgres' || scheme === 'postgresql') return openPostgresEventLog(url);
  if (scheme === 'kafka') return openKafkaEventLog(url);
  throw new CountersignError('config.invalid', {
    detail: 'The URL of the event log begins with postgres://, postgresql:// or kafka://.',
  });
}
