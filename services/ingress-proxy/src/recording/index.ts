export { openFolderKeyStore } from './folder-key-store.store.js';
export type { RecordingKeyStore } from './key-store.js';
export { readRecipientKey, type RecipientKey, sealSecret } from './sealing.js';
