export { type EvidenceApiOptions, evidenceApi } from './evidence-api.module.js';
export { Library } from './library.store.js';
