export type { ServiceContext } from './context.js';
export { catalogued, exitCodeOf, exitCodes } from './failures.js';
export { type RunningService, runService, type ServiceDefinition } from './run-service.main.js';
