export type { AgentContext, AgentLimits, ConnectionObserver } from './agent/index.js';
export { type ListenerOptions, listenForAgents, type PostgresListener } from './listener.server.js';
export { postgresReader } from './system.client.js';
export type { ConnectionLimits } from './upstream/index.js';
