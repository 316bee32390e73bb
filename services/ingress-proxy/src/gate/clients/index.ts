export { ApprovalClient, type ApprovalRpc } from './approval.client.js';
export { answerOf } from './errors.js';
export { MaskingClient, type MaskingRpc } from './masking.client.js';
export { PolicyClient, type PolicyRpc } from './policy.client.js';
