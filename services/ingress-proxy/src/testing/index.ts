export { surrogateOf } from './fake-masking.server.js';
export { gatewayRoleScript } from './gateway-role.store.js';
export { type AnyEvent, type ConnectOptions, startWorld, type World } from './world.driver.js';
