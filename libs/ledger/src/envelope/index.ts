export { maximumEventBytes } from './limits.js';
export { parseEnvelope } from './parse.js';
