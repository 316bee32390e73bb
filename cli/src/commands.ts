import type { RegisterCommand } from './command.js';

/** Every command of `countersign`, in the order in which help lists them. */
export const commands: readonly RegisterCommand[] = [];
