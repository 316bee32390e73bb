export { type Auditor, audience, auditorOf, bearerOf, role } from './auditor.js';
export { openTokens, type TokenOptions, type Tokens } from './tokens.client.js';
