import { CountersignError } from '@countersign/errors';
import { openPostgresEventLog } from './drivers/postgres/index.js';
import type { EventLog } from './event-log.js';

/**
 * Opens the event log that a URL names: `postgres://…`. Creates or upgrades its schema where the role may; a role
 * that may only append and read finds it made (`createEventLogSchema`).
 * Errors: `config.invalid`, `recording.unavailable` where it cannot be reached.
 */
export async function openEventLog(url: string): Promise<EventLog> {
  const scheme = /^([a-z]+):\/\//.exec(url)?.[1];
  if (scheme === 'postgres' || scheme === 'postgresql') return openPostgresEventLog(url);
  throw new CountersignError('config.invalid', {
    detail: 'The URL of the event log begins with postgres:// or postgresql://.',
  });
}
