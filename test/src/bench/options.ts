import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Seconds of each measured round. */
  readonly seconds: number;
  /** Rounds of each way of each workload; all ways of a workload take turns. */
  readonly rounds: number;
  /** Names of the workloads to run; empty for all. */
  readonly only: readonly string[];
  /** File that gets the results. */
  readonly json: string;
  /** Whether docs/performance.md is written from the results. */
  readonly page: boolean;
}

export const usage = `npm run bench -- [options]

  --quick          two short rounds of each way: for a look, not for a comparison
  --only a,b       only these workloads (--list names them)
  --seconds n      length of a round (5; 2 with --quick)
  --rounds n       rounds of each way (3; 2 with --quick)
  --json file      where the results go (docs/performance.json with --page, else bench-results.json)
  --page           write docs/performance.md from the results
  --list           name the workloads`;

export class UsageError extends Error {}

function number(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new UsageError(`${text} is no positive number.`);
  return value;
}

/** Throws UsageError. */
export function readOptions(
  args: readonly string[],
  known: readonly string[],
): BenchOptions | 'help' | 'list' {
  const { values } = parse(args);
  if (values.help) return 'help';
  if (values.list) return 'list';
  const only = (values.only ?? '').split(',').filter((name) => name !== '');
  const unknown = only.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UsageError(`There is no workload ${unknown}.`);
  const quick = values.quick ?? false;
  const page = values.page ?? false;
  return {
    seconds: number(values.seconds, quick ? 2 : 5),
    rounds: Math.ceil(number(values.rounds, quick ? 2 : 3)),
    only,
    json: values.json ?? (page ? 'docs/performance.json' : 'bench-results.json'),
    page,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean' },
        only: { type: 'string' },
        seconds: { type: 'string' },
        rounds: { type: 'string' },
        json: { type: 'string' },
        page: { type: 'boolean' },
        list: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
