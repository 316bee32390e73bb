export {
  type ConnectionLimits,
  type ExchangeHandler,
  TargetConnection,
  type TargetLogin,
} from './connection.client.js';
