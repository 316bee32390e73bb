import { approvalsCommand } from './approvals.command.js';
import type { RegisterCommand } from './command.js';
import { enrollCommand } from './enroll.command.js';
import { explainCommand } from './explain.command.js';
import { grantsCommand } from './grants.command.js';
import { tokenCommand } from './token.command.js';
import { verifyCommand } from './verify.command.js';

/** Every command of `countersign`, in the order in which help lists them. */
export const commands: readonly RegisterCommand[] = [
  enrollCommand,
  tokenCommand,
  grantsCommand,
  approvalsCommand,
  explainCommand,
  verifyCommand,
];
