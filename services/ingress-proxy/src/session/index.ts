export { Attempts } from './attempts.js';
export { type GrantRpc, GrantWatch } from './grants.client.js';
export { isLoopback, isLoopbackPeer, peerName } from './peers.js';
export type { Refusal } from './refusals.js';
export { Refusals } from './refusals.store.js';
export { type EndReason, type NewSession, Sessions, type Transport } from './sessions.store.js';
export { type KeysRpc, TokenVerifier } from './token.client.js';
export type { TokenClaims } from './token.js';
