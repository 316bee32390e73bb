import { type DynamicModule, Module } from '@nestjs/common';
import { Grants } from '../grants/index.js';
import { Principals } from '../principals/index.js';
import { Listing, Requests } from '../requests/index.js';
import { Attempts, Refusals, SigningKeys, Tokens } from '../tokens/index.js';
import { ApprovalsController } from './approvals.controller.js';
import { BearerGuard } from './bearer.guard.js';
import { Clock } from './clock.js';
import { GrantsController } from './grants.controller.js';
import { PrincipalsController } from './principals.controller.js';
import { TokensController } from './tokens.controller.js';

export interface HttpParts {
  readonly requests: Requests;
  readonly listing: Listing;
  readonly grants: Grants;
  readonly principals: Principals;
  readonly tokens: Tokens;
  readonly keys: SigningKeys;
  readonly refusals: Refusals;
  readonly attempts: Attempts;
  readonly clock: Clock;
}

@Module({})
class HttpModule {}

/** The HTTP API over the parts of a running service. */
export function httpModule(parts: HttpParts): DynamicModule {
  return {
    module: HttpModule,
    controllers: [TokensController, PrincipalsController, GrantsController, ApprovalsController],
    providers: [
      BearerGuard,
      { provide: Requests, useValue: parts.requests },
      { provide: Listing, useValue: parts.listing },
      { provide: Grants, useValue: parts.grants },
      { provide: Principals, useValue: parts.principals },
      { provide: Tokens, useValue: parts.tokens },
      { provide: SigningKeys, useValue: parts.keys },
      { provide: Refusals, useValue: parts.refusals },
      { provide: Attempts, useValue: parts.attempts },
      { provide: Clock, useValue: parts.clock },
    ],
  };
}
