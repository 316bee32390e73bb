export type { Principal } from './principal.js';
export { type Enrolment, type ListedPrincipal, Principals } from './principal.store.js';
export { type PublicKey, publicKeySchema, readPublicKey, thumbprintOf } from './public-key.js';
