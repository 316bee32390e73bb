export { isEventId, isReference, isSource, maximumEventBytes, maximumEventDepth } from './limits.js';
export { parseEnvelope } from './parse.js';
