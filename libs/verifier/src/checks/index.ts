export { ChainsCheck } from './chains/index.js';
export type { SeenEvent } from './event.js';
export { LeavesCheck } from './leaves.check.js';
export { PoliciesCheck } from './policies/index.js';
export { RecordsCheck } from './records.check.js';
export { TreeCheck } from './tree.check.js';
export { checkTrust, type Trust } from './trust.check.js';
