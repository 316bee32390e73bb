export { openProducer } from './producer.driver.js';
export type { Producer, ProducerJournal, ProducerOptions } from './producer.js';
