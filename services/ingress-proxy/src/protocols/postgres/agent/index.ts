export { CancelKeys, type CancelOutcome } from './cancel-keys.js';
export {
  type AgentContext,
  type AgentLimits,
  type ConnectionObserver,
  serveAgent,
} from './connection.driver.js';
export { reportOf } from './reports.js';
