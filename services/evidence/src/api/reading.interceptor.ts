import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
  SetMetadata,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { catchError, from, map, mergeMap, type Observable } from 'rxjs';
import type { Reading, Readings } from '../reading/index.js';
import { routeOf } from './auditor.guard.js';
import { catalogued } from './failures.js';
import type { ApiRequest } from './messages.js';
import { provided } from './tokens.js';

const tallied = 'countersign:tallied';

/** Readings of this route are counted together; each other one is recorded before it is answered. */
export const Tallied = () => SetMetadata(tallied, true);

/** Filters that an event names; ids and words of the vocabulary alone. */
const named = ['control', 'from', 'to', 'agent', 'target', 'verdict', 'kind', 'finding'] as const;

/**
 * Records every reading: the answer waits until the event is durable, and is not given where it cannot be recorded.
 */
@Injectable()
export class ReadingInterceptor implements NestInterceptor {
  readonly #readings: Readings;
  readonly #reflector: Reflector;

  constructor(@Inject(provided.readings) readings: Readings, @Inject(Reflector) reflector: Reflector) {
    this.#readings = readings;
    this.#reflector = reflector;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<ApiRequest>();
    const isTallied = this.#reflector.get<boolean | undefined>(tallied, context.getHandler()) === true;
    const principal = request.auditor?.principal ?? null;
    return next.handle().pipe(
      // An error first, so that a reading that cannot be recorded is not itself taken for a failed reading.
      catchError((thrown: unknown) => {
        const error = catalogued(thrown);
        this.#readings.count({ principal, resource: routeOf(request), status: error.entry.http });
        throw error;
      }),
      mergeMap((answer: unknown) => {
        const resource = isTallied ? routeOf(request) : resourceOf(request);
        const reading: Reading = { principal, resource, status: 200 };
        if (isTallied) {
          this.#readings.count(reading);
          return [answer];
        }
        return from(this.#readings.record(reading)).pipe(map(() => answer));
      }),
    );
  }
}

/** Path and filters of a request that was understood: they have been validated. */
function resourceOf(request: ApiRequest): string {
  const filters = named.flatMap((name) => {
    const value = request.query[name];
    return typeof value === 'string' ? [`${name}=${value}`] : [];
  });
  const path = request.path.slice(0, 300);
  return filters.length === 0 ? path : `${path}?${filters.join('&')}`;
}
