import { Command } from 'commander';
import { commands } from './commands.js';

/** The whole command line, without running it. */
export function createProgram(): Command {
  const program = new Command('countersign')
    .description('Countersign: an auditable gateway between agents and the systems they work on.')
    .version('0.1.0')
    .showHelpAfterError('Add --help for what the command takes.');
  for (const register of commands) register(program);
  return program;
}
