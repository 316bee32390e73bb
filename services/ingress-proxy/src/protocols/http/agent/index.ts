export { ApprovalPlaces } from './approval-places.store.js';
export { AgentConnection } from './connection.driver.js';
export type { ConnectionObserver, HttpAgentContext, HttpAgentLimits, Peer, ServedTarget } from './context.js';
export { answerProblem } from './writing.driver.js';
