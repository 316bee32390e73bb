export { openReadings, type Readings } from './readings.worker.js';
export { type CountedReading, type Reading, Tally } from './tally.js';
