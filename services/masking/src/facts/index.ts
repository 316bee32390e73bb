export { factsOf } from './facts.js';
