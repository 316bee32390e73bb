export { correlationId, isCorrelationId, withCorrelation } from './correlation.js';
export { createLogger, type Logger, type LogLevel } from './logger.js';
export { type LoggableError, loggableError, redact, redactText } from './redaction.js';
