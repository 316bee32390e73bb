import { readFileSync } from 'node:fs';
import { CountersignError } from '@countersign/errors';
import type { Command } from 'commander';
import { askForExplanation, renderExplanation } from './explain/index.js';

interface ExplainFlags {
  readonly url?: string;
  readonly json?: true;
}

const HELP = `
It connects as the agent, as psql would: --url, or PGHOST, PGPORT, PGDATABASE (the target), PGUSER (the agent's id) and
PGPASSWORD (its session token). Any client can ask the same: EXPLAIN (COUNTERSIGN) <statement>

Exit codes:
  0  it would run, as shown
  2  it would be refused, or wait for a person
  1  the command failed`;

/** `countersign explain`: what would be decided on a statement, and what would run. */
export function explainCommand(program: Command): void {
  program
    .command('explain')
    .description('tell what would be decided on a statement and what would run, without running it')
    .argument('<statement>', 'the statement, or - to read it from standard input')
    .option('--url <url>', 'postgresql://… of the gateway')
    .option('--json', 'print the explanation as JSON')
    .addHelpText('after', HELP)
    .action(explain);
}

async function explain(given: string, { url, json }: ExplainFlags): Promise<void> {
  const statement = given === '-' ? readFileSync(0, 'utf8') : given;
  if (statement.trim() === '')
    throw new CountersignError('request.invalid', { detail: 'There is no statement.' });
  const explanation = await askForExplanation(statement, url);
  const { refusal, verdict } = explanation;
  process.stdout.write(
    json === true
      ? `${JSON.stringify(explanation, null, 2)}\n`
      : `${renderExplanation(explanation, process.stdout.columns ?? 100)}\n`,
  );
  process.exitCode = refusal === null && verdict !== 'step_up' ? 0 : 2;
}
