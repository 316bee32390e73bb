export * from './dossier/index.js';
export { LocalPolicyRunner, type PolicyRunner, ThreadPolicyRunner } from './policy/index.js';
export * from './report/index.js';
export type { Progress } from './verification.js';
export { type VerifyOptions, verifyDossier } from './verify-dossier.js';
