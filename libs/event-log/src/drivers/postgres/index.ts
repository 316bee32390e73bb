export { openPostgresEventLog, type PostgresEventLogOptions } from './event-log.driver.js';
export { createEventLogSchema, type EventLogRoles } from './schema.driver.js';
