export {
  type ConnectionLimits,
  type ExchangeHandler,
  isLoopback,
  TargetConnection,
  type TargetLogin,
} from './connection.client.js';
