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
import type { Readings } from '../reading/index.js';
import { routeOf } from './auditor.guard.js';
import { catalogued } from './failures.js';
import { Library } from './library.store.js';
import type { ApiRequest } from './messages.js';
import { resourceOf } from './resource.js';
import { provided } from './tokens.js';

const tallied = 'countersign:tallied';

/** Readings of this route are counted together; each other one is recorded before it is answered. */
export const Tallied = () => SetMetadata(tallied, true);

/**
 * Records every reading: the answer waits until the event is durable, and is not given where it cannot be recorded.
 */
@Injectable()
export class ReadingInterceptor implements NestInterceptor {
  readonly #readings: Readings;
  readonly #library: Library;
  readonly #reflector: Reflector;

  constructor(
    @Inject(provided.readings) readings: Readings,
    @Inject(Library) library: Library,
    @Inject(Reflector) reflector: Reflector,
  ) {
    this.#readings = readings;
    this.#library = library;
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
        if (isTallied) {
          this.#readings.count({ principal, resource: routeOf(request), status: 200 });
          return [answer];
        }
        return from(this.#record(request, principal, answer)).pipe(map(() => answer));
      }),
    );
  }

  async #record(request: ApiRequest, principal: string | null, answer: unknown): Promise<void> {
    const resource = await resourceOf(request, answer, (name, id) => this.#library.holds(name, id)).catch(
      (thrown: unknown) => {
        throw catalogued(thrown);
      },
    );
    await this.#readings.record({ principal, resource, status: 200 });
  }
}
