import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Inject,
  Injectable,
} from '@nestjs/common';
import type { Actor } from '../aggregate/index.js';
import { Tokens } from '../tokens/index.js';

interface AuthenticatedRequest {
  readonly headers: { readonly authorization?: string };
  actor?: Actor;
}

/** The token of an Authorization header (RFC 6750, section 2.1); null where there is none. */
export function bearerOf(header: string | undefined): string | null {
  return /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(header ?? '')?.[1] ?? null;
}

/** Lets through only who bears a valid token for this API. */
@Injectable()
export class BearerGuard implements CanActivate {
  readonly #tokens: Tokens;

  constructor(@Inject(Tokens) tokens: Tokens) {
    this.#tokens = tokens;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    request.actor = await this.#tokens.authenticate(bearerOf(request.headers.authorization));
    return true;
  }
}

/** Who asks, as BearerGuard found. */
export const Asker = createParamDecorator((_: unknown, context: ExecutionContext): Actor => {
  const { actor } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (actor === undefined) throw new TypeError('a route without BearerGuard asks for its actor');
  return actor;
});
