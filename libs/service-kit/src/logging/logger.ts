import {
  type Bindings,
  type ChildLoggerOptions,
  type DestinationStream,
  destination,
  type Logger as PinoLogger,
  pino,
} from 'pino';
import { correlationId } from './correlation.js';
import { redact } from './redaction.js';

export type Logger = PinoLogger;
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

function standardOutput(): DestinationStream {
  const stream = destination({ fd: 1, sync: true });
  // A reader that has gone away must not end the service.
  stream.on('error', () => undefined);
  return stream;
}

/**
 * A logger that writes one JSON object a line to standard output. Values under keys that name secrets, tokens, passwords
 * in URLs and private keys are redacted at any depth; texts of database errors are withheld, since they quote values.
 * What happened stands in `event` as a fixed word, details in fields: `logger.info({ event: 'policy-loaded', digest })`.
 */
export function createLogger(service: string, level: LogLevel = 'info', stream?: DestinationStream): Logger {
  const logger = pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'message',
      errorKey: 'error',
      mixin: () => {
        const id = correlationId();
        return id === undefined ? {} : { correlationid: id };
      },
      formatters: {
        level: (label) => ({ level: label }),
      },
      // Fields arrive redacted; the default serialiser would take them for an error and reshape them.
      serializers: { error: (fields: unknown) => fields, err: (fields: unknown) => fields },
      hooks: {
        // Redacted here, before pino looks at it: it would take the text of an error for the message.
        logMethod(parameters, method) {
          const [first, ...rest] = parameters as unknown as [unknown, ...unknown[]];
          const fields = redact(first instanceof Error ? { error: first } : first);
          Reflect.apply(method, this, [fields, ...rest.map((part) => redact(part))]);
        },
      },
    },
    stream ?? standardOutput(),
  );
  // Children inherit it. What is bound to them is written as it is otherwise, past the hook.
  const child = logger.child;
  logger.child = function redacting(this: Logger, bindings: Bindings, options?: ChildLoggerOptions) {
    return Reflect.apply(child, this, [redact(bindings), options]) as Logger;
  } as unknown as Logger['child'];
  return logger;
}
