export { type Configuration, configuration } from './configuration.js';
export { startEvidence } from './evidence.server.js';
