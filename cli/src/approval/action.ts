import { type CountersignError, toCountersignError } from '@countersign/errors';
import type { Command } from 'commander';
import pc from 'picocolors';
import { escapeText } from '../terminal/index.js';
import { ApprovalClient } from './approval.client.js';
import { resolveSettings, type Settings } from './settings.store.js';

/** 0 done, 1 could not be done (unreachable, settings), 2 the service refused. */
const exitCodes = { failed: 1, refused: 2 } as const;

const help = `
Settings come from flags, then COUNTERSIGN_CLI_URL, _ISSUER, _ID, _KEY and _TOKEN, then a JSON file with
url, issuer, id, key and token (--config, COUNTERSIGN_CLI_CONFIG or ~/.config/countersign/cli.json).
Exit codes: 0 done, 1 could not be done, 2 refused by the service.`;

export interface CommonFlags {
  readonly url?: string;
  readonly issuer?: string;
  readonly id?: string;
  readonly key?: string;
  readonly token?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** Flags that every command has that talks to the approval service. */
export function withSettings(command: Command): Command {
  return command
    .option('--url <url>', 'where the approval service answers')
    .option('--id <id>', 'who you are: agent:… or person:…')
    .option('--key <file>', 'your Ed25519 private key, PEM')
    .option('--token <token>', 'a token to use instead of the key (better given by COUNTERSIGN_CLI_TOKEN)')
    .option('--issuer <issuer>', 'name of the service that the proof of your key is for')
    .option('--config <file>', 'file with settings')
    .option('--json', 'answer as JSON')
    .addHelpText('after', help);
}

export interface Asking {
  readonly client: ApprovalClient;
  readonly settings: Settings;
  /** Prints the answer: the value as JSON, or the text for a reader. */
  say(value: unknown, text: () => string): void;
}

function complain(error: CountersignError, json: boolean): void {
  if (json) {
    const { code, message, next } = error;
    process.stderr.write(`${JSON.stringify({ code, message, next })}\n`);
  } else {
    process.stderr.write(`${pc.red('error')} ${escapeText(error.message)}\n${escapeText(error.next)}\n`);
  }
}

/** Runs a command: settings, work, and an exit code that says who is to blame. */
export async function run(flags: CommonFlags, work: (asking: Asking) => Promise<void>): Promise<void> {
  const json = flags.json === true;
  try {
    const { json: _, ...given } = flags;
    const { url, issuer, id, key, token, config } = given;
    const settings = resolveSettings({ url, issuer, id, key, token, config }, process.env);
    await work({
      client: new ApprovalClient(settings),
      settings,
      say: (value, text) => process.stdout.write(`${json ? JSON.stringify(value) : text()}\n`),
    });
  } catch (thrown) {
    const error = toCountersignError(thrown);
    complain(error, json);
    const refused = error.entry.http < 500 && error.code !== 'config.invalid';
    process.exitCode = refused ? exitCodes.refused : exitCodes.failed;
  }
}
