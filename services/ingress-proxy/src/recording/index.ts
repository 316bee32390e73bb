export { openFolderKeyStore } from './folder-key-store.store.js';
export type { RecordingKeyStore } from './key-store.js';
export { type RecipientKey, readRecipientKey, sealSecret } from './sealing.js';
