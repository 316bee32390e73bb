export { type Asking, type CommonFlags, run, withSettings } from './action.js';
export { ApprovalClient } from './approval.client.js';
export { momentOf, secondsOf } from './duration.js';
export { shownParts } from './held.js';
export { ensureKeyFile, type PublicKey } from './key-file.store.js';
export type { Settings } from './settings.store.js';
