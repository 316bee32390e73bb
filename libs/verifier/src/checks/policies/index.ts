export { PoliciesCheck } from './policies.check.js';
