export {
  bound,
  type Call,
  called,
  cellsOf,
  columnsOf,
  executed,
  int16,
  int32,
  lettersOf,
} from './extended.js';
export { surrogateOf } from './fake-masking.server.js';
export { gatewayRoleScript } from './gateway-role.store.js';
export { codeOf, fieldOf, RawClient, type RawMessage } from './raw-client.client.js';
export { type RawAnswer, rawExchange } from './raw-http.client.js';
export { secretOf, statementsIn } from './statement-log.store.js';
export { unrecordedStatements } from './unrecorded.js';
export { type SeenRequest, TestUpstream } from './upstream.server.js';
export { type AnyEvent, type ConnectOptions, startWorld, type World } from './world.driver.js';
