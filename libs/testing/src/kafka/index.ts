export { type KafkaInstance, type KafkaOptions, someKafka, startKafka, whyNoKafka } from './server.js';
