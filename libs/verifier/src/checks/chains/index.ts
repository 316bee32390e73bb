export { ChainsCheck } from './chains.check.js';
export { LONGEST_BATCH } from './producer.js';
