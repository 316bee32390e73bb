export { type KafkaEventLogOptions, openKafkaEventLog } from './event-log.driver.js';
export { createEventLogTopics, type EventLogRights } from './rights.driver.js';
