export { approvalService, type RpcParts } from './approval.server.js';
