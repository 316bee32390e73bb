export { startApproval } from './approval.server.js';
export { type ApprovalConfiguration, approvalConfiguration } from './configuration.js';
