export { type FaultyProxy, startFaultyProxy, type Upstream } from './faulty-proxy.js';
export { freePort } from './free-port.js';
export { type KafkaInstance, type KafkaOptions, someKafka, startKafka, whyNoKafka } from './kafka/index.js';
export { type PostgresInstance, type PostgresOptions, startPostgres } from './postgres/index.js';
export { type TemporaryFolder, temporaryFolder } from './temporary-folder.js';
export { type WaitOptions, waitUntil } from './wait-until.js';
