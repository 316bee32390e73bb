export { createEventLogTopics, type EventLogRights } from './drivers/kafka/index.js';
export { createEventLogSchema, type EventLogRoles } from './drivers/postgres/index.js';
export {
  type EventLog,
  type EventRecord,
  type Position,
  partitionKey,
  type StoredRecord,
  type Subscription,
} from './event-log.js';
export {
  MAX_APPEND_BYTES,
  MAX_KEY_LENGTH,
  MAX_RECORDS,
  MAX_SIGNATURE_BYTES,
  MAX_VALUE_BYTES,
} from './limits.js';
export { openEventLog } from './open.driver.js';
