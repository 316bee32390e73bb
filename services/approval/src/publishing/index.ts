export { Relay, type RelayOptions, type RelayState } from './relay.worker.js';
