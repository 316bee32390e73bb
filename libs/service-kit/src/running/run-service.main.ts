import { CountersignError, toCountersignError } from '@countersign/errors';
import type { z } from 'zod';
import {
  configurationHelp,
  type KitConfiguration,
  loadConfiguration,
  readCommandLine,
} from '../configuration/index.js';
import { createHealth } from '../health.js';
import { createLogger, type Logger, redact } from '../logging/index.js';
import { createMetrics } from '../metrics.js';
import type { ServiceContext } from './context.js';
import { catalogued, exitCodeOf, exitCodes } from './failures.js';

export interface RunningService {
  /** Finishes what is in flight and lets go of everything. Bounded from outside: see shutdownMilliseconds. */
  stop(): Promise<void>;
}

export interface ServiceDefinition<Schema extends z.ZodType<KitConfiguration>> {
  /** Fixed word, for logs and --help. */
  readonly name: string;
  /** Built from `baseConfiguration`. */
  readonly schema: Schema;
  /** Resolves when the service can do its work; a rejection ends the process with a catalogued message. */
  start(context: ServiceContext<z.output<Schema>>): Promise<RunningService>;
}

function say(error: CountersignError): void {
  process.stderr.write(`${error.message}\n${error.next}\n`);
}

/** Settings, or undefined where the command line asked for something else (and got it). */
function settingsFor<Schema extends z.ZodType<KitConfiguration>>(
  definition: ServiceDefinition<Schema>,
): z.output<Schema> | undefined {
  const argv = process.argv.slice(2);
  const commandLine = readCommandLine(argv);
  if (commandLine.help) {
    process.stdout.write(configurationHelp(definition.name, definition.schema));
    return undefined;
  }
  const configuration = loadConfiguration(definition.schema, {
    service: definition.name,
    argv,
    env: process.env,
  });
  if (!commandLine.print) return configuration;
  process.stdout.write(`${JSON.stringify(redact(configuration), undefined, 2)}\n`);
  return undefined;
}

function logFailure(logger: Logger, event: string, error: CountersignError): void {
  logger.fatal({ event, code: error.code, next: error.next, error }, error.message);
}

/**
 * Runs a service as the process's one purpose: configuration, log, start, the ready line, and a graceful stop in bounded
 * time on SIGTERM or SIGINT (a second signal ends it at once). What nobody caught is logged and ends the process: a gateway
 * in an unknown state must not go on deciding. Exit codes are in `exitCodes`.
 */
export async function runService<Schema extends z.ZodType<KitConfiguration>>(
  definition: ServiceDefinition<Schema>,
): Promise<void> {
  const began = performance.now();
  let configuration: z.output<Schema> | undefined;
  try {
    configuration = settingsFor(definition);
  } catch (thrown) {
    const error = toCountersignError(thrown);
    say(error);
    process.exitCode = exitCodeOf(error);
    return;
  }
  if (configuration === undefined) return;

  const { instance, logLevel, shutdownMilliseconds } = configuration;
  const logger = createLogger(definition.name, logLevel).child({ instance });
  const health = createHealth();
  const stopping = new AbortController();
  let running: RunningService | undefined;
  let stopRequested = false;

  const end = (code: number): never => process.exit(code);
  const fail = (event: string, thrown: unknown): never => {
    const error = catalogued(thrown);
    logFailure(logger, event, error);
    say(error);
    return end(exitCodeOf(error));
  };
  process.on('uncaughtException', (thrown) => fail('uncaught-exception', thrown));
  process.on('unhandledRejection', (thrown) => fail('unhandled-rejection', thrown));

  const stop = async (reason: string): Promise<void> => {
    if (stopRequested) {
      logger.warn({ event: 'stopped-at-once', reason });
      end(exitCodes.unfinished);
    }
    stopRequested = true;
    health.setState('stopping');
    logger.info({ event: 'stopping', reason });
    const limit = setTimeout(() => {
      logger.error({ event: 'stop-timed-out', milliseconds: shutdownMilliseconds });
      end(exitCodes.unfinished);
    }, shutdownMilliseconds);
    stopping.abort(new CountersignError('service.stopping'));
    try {
      await running?.stop();
    } catch (error) {
      logger.error({ event: 'stop-failed', error });
      clearTimeout(limit);
      end(exitCodes.unfinished);
    }
    logger.info({ event: 'stopped' });
    end(exitCodes.stopped);
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));

  const context: ServiceContext<z.output<Schema>> = {
    name: definition.name,
    configuration,
    logger,
    health,
    metrics: createMetrics(definition.name),
    signal: stopping.signal,
    addresses: new Map(),
  };
  try {
    running = await definition.start(context);
  } catch (thrown) {
    // A start that fails because it was told to stop is a stop.
    if (!stopRequested) fail('start-failed', thrown);
    end(exitCodes.stopped);
  }
  if (stopRequested) {
    // The signal came while it started, and found nothing to stop yet.
    await running?.stop().catch((error: unknown) => logger.error({ event: 'stop-failed', error }));
    end(exitCodes.stopped);
  }
  health.setState('ready');
  logger.info({
    event: 'ready',
    addresses: Object.fromEntries(context.addresses),
    milliseconds: Math.round(performance.now() - began),
  });
}
