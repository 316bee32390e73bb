import { CountersignError } from '@countersign/errors';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { bearerOf, type Tokens } from '../auth/index.js';
import type { Readings } from '../reading/index.js';
import type { ApiRequest } from './messages.js';
import { provided } from './tokens.js';

/** Lets nobody in but auditors; everyone who is refused is counted on record. */
@Injectable()
export class AuditorGuard implements CanActivate {
  readonly #tokens: Tokens;
  readonly #readings: Readings;

  constructor(@Inject(provided.tokens) tokens: Tokens, @Inject(provided.readings) readings: Readings) {
    this.#tokens = tokens;
    this.#readings = readings;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<ApiRequest>();
    try {
      request.auditor = await this.#tokens.verify(bearerOf(request.headers.authorization));
      return true;
    } catch (error) {
      const status = error instanceof CountersignError ? error.entry.http : 500;
      this.#readings.count({ principal: null, resource: routeOf(request), status });
      throw error;
    }
  }
}

/** The route's template: what was asked for, without what was sent. */
export function routeOf(request: ApiRequest): string {
  const path: unknown = request.route?.path;
  return typeof path === 'string' ? path.slice(0, 200) : 'other';
}
