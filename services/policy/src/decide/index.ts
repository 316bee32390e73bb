export { type Decided, Decider } from './decider.js';
