import type { LoggerService } from '@nestjs/common';
import type { Logger } from '../logging/index.js';

/** Nest's own messages in the service's log; what it says of routes and modules is for debugging. */
export function nestLogger(logger: Logger): LoggerService {
  const text = (message: unknown) => (typeof message === 'string' ? message : '[not text]');
  return {
    log: (message: unknown) => logger.debug({ event: 'nest' }, text(message)),
    debug: (message: unknown) => logger.debug({ event: 'nest' }, text(message)),
    verbose: (message: unknown) => logger.trace({ event: 'nest' }, text(message)),
    warn: (message: unknown) => logger.warn({ event: 'nest' }, text(message)),
    error: (message: unknown) =>
      logger.error({ event: 'nest', ...(message instanceof Error ? { error: message } : {}) }, text(message)),
    fatal: (message: unknown) => logger.fatal({ event: 'nest' }, text(message)),
  };
}
