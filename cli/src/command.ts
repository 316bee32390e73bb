import type { Command } from 'commander';

/**
 * Adds one command, with its options and help, to the program. A command ends the process with an exit code by
 * setting `process.exitCode`; what it throws is shown by `main.ts`.
 */
export type RegisterCommand = (program: Command) => void;
