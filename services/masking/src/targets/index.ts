export { Announcements } from './announcements.js';
export { openLabels } from './labels.store.js';
export { type Activation, Targets, type TargetsParts } from './targets.js';
