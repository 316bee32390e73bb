import type { Command } from 'commander';
import { type CommonFlags, run, withSettings } from './approval/index.js';

interface TokenFlags extends CommonFlags {
  readonly audience?: string;
  readonly grant?: string;
}

export function tokenCommand(program: Command): void {
  const command = program
    .command('token')
    .description('prove your key and print a short-lived token, and nothing else, on standard output')
    .option('--grant <id>', 'an agent: the grant under which it wants to act')
    .option(
      '--audience <name>',
      'the target (default: that of the grant), countersign-approval or countersign-evidence',
    );
  withSettings(command).action(async (flags: TokenFlags) => {
    await run(flags, async ({ client, say }) => {
      const audience = flags.audience ?? (flags.grant === undefined ? 'countersign-approval' : undefined);
      const issued = await client.token({ audience, grant: flags.grant });
      say(issued, () => issued.token);
    });
  });
}
