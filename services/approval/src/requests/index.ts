export type { Approval, ApprovalStatus } from './approval.js';
export { type ReadBinding, readBinding } from './binding.js';
export type { Content } from './content.js';
export { Contents, type KeyEncryptionKeys } from './contents.store.js';
export { type ApprovalFilter, type ListedApproval, Listing } from './listing.store.js';
export { type Periods, Requests, type RequestsOptions, type Submission } from './requests.store.js';
