export { openProducer } from './opening.driver.js';
export type { Producer, ProducerJournal, ProducerOptions } from './producer.js';
