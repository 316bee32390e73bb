export { Attempts } from './attempts.js';
export { approvalAudience, evidenceAudience, reservedAudiences, type TokenWish } from './claims.js';
export { Refusals } from './refusals.store.js';
export { SigningKeys } from './signing-keys.store.js';
export { type IssuedToken, Tokens, type TokensOptions } from './tokens.store.js';
