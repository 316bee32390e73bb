export { ApprovalClient, ensureKeyFile, type Settings } from './approval/index.js';
export { createProgram } from './program.js';
