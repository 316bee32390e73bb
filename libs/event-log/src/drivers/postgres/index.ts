export { openPostgresEventLog } from './event-log.driver.js';
export { createEventLogSchema, type EventLogRoles } from './schema.driver.js';
