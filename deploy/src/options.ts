import { createHash } from 'node:crypto';
import { homedir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { portCount } from './state/index.js';

export interface Options {
  /** End after the guided session with a status. */
  readonly once: boolean;
  /** Where keys, databases and configuration live. */
  readonly data: string;
  /** The ingress listens here; the other parts on the ports after it. */
  readonly port: number;
  /** Whether to run the guided session. */
  readonly tour: boolean;
  /** Where events are kept: `postgres`, `kafka` for a broker of its own, or the URL of a Kafka cluster. */
  readonly eventLog: string;
}

/** All ports stay below 32768, out of the ephemeral range. */
function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1024 || value + portCount > 32768) {
    throw new InvalidArgumentError(`A whole number from 1024 to ${32768 - portCount} is needed.`);
  }
  return value;
}

/**
 * Where state lives unless `--data` says otherwise. PostgreSQL refuses to run as root, so under root it runs as a user
 * of its own who must be able to reach the folder: a home of root or a checkout below it would be closed to that user.
 */
export function defaultDataFolder(checkout: string, root: boolean, home: string): string {
  if (!root) return join(checkout, '.countersign');
  const name = createHash('sha256')
    .update(`${home}\n${resolve(checkout)}`)
    .digest('hex')
    .slice(0, 12);
  return join('/var/lib/countersign', name);
}

export function parseOptions(
  argv: readonly string[],
  checkout: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): Options {
  const program = new Command('npm start --')
    .description(
      'Start Countersign with a sample database, show a guided session, and stay up.\n' +
        'State is kept between starts; delete the data folder to begin anew.',
    )
    .option('--once', 'end after the guided session; exit status 1 if a step did not do what it shows', false)
    .option('--no-tour', 'start without the guided session')
    .option(
      '--data <folder>',
      'folder for keys, databases and configuration',
      defaultDataFolder(checkout, userInfo().uid === 0, homedir()),
    )
    .option(
      '--port <number>',
      `first of ${portCount} ports to listen on (loopback only; 1024 to ${32768 - portCount})`,
      port,
      15432,
    )
    .option('--kafka', 'keep events in a Kafka broker of its own (needs Java 17 and Maven)', false)
    .addHelpText(
      'after',
      '\nEVENT_LOG_URL=kafka://[user:password@]host:port,… keeps events in a Kafka cluster that is there already.',
    )
    .helpOption('-h, --help', 'show this help')
    .allowExcessArguments(false);
  program.parse(argv as string[], { from: 'user' });
  const given = program.opts<{ once: boolean; tour: boolean; data: string; port: number; kafka: boolean }>();
  if (given.once && !given.tour)
    program.error("error: option '--once' ends after the guided session, which '--no-tour' leaves out");
  const url = environment.EVENT_LOG_URL ?? '';
  if (url !== '' && given.kafka) {
    program.error(
      "error: option '--kafka' starts a broker, and EVENT_LOG_URL names one that is there already",
    );
  }
  if (url !== '' && !url.startsWith('kafka://')) program.error('error: EVENT_LOG_URL begins with kafka://');
  return {
    once: given.once,
    tour: given.tour,
    data: resolve(given.data),
    port: given.port,
    eventLog: url !== '' ? url : given.kafka ? 'kafka' : 'postgres',
  };
}
