export { newValueKey, readKeyEncryptionKey, unwrapKey, type WrappedKey, wrapKey } from './value-key.js';
export { openValueKey } from './value-key.store.js';
