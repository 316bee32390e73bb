export { ContextList } from './context-list.js';
export { maskingModule } from './masking.module.js';
export { type MaskingApiParts, maskingApi } from './masking.server.js';
