export { Announcements } from './announcements.js';
export { policyModule } from './policy.module.js';
export { type PolicyApiParts, policyApi } from './policy.server.js';
