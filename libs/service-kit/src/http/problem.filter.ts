import { toProblem } from '@countersign/errors';
import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { Logger } from '../logging/index.js';
import type { HttpAnswer } from './messages.js';
import { problemOf } from './problem.js';

/** Answers every error as problem details (RFC 9457), and logs those that nobody foresaw. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    this.answer(thrown, host.switchToHttp().getResponse<HttpAnswer>());
  }

  answer(thrown: unknown, response: HttpAnswer): void {
    const error = problemOf(thrown);
    if (error.code === 'internal') this.#logger.error({ event: 'request-failed', error: thrown });
    if (response.headersSent) {
      // Half an answer must not pass for a whole one.
      response.destroy();
      return;
    }
    if (error.entry.http === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    if (error.entry.http === 429 || error.entry.http === 503) response.setHeader('Retry-After', '1');
    response.statusCode = error.entry.http;
    response.setHeader('Content-Type', 'application/problem+json');
    response.end(JSON.stringify(toProblem(error)));
  }
}
