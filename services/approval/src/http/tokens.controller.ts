import { CountersignError, toCountersignError } from '@countersign/errors';
import { parseRequest } from '@countersign/service-kit';
import { Controller, Get, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Attempts, SigningKeys, Tokens } from '../tokens/index.js';
import { oauthProblem } from './oauth-error.js';
import { tokenForm } from './shapes.js';

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

interface TokenRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

interface Answer {
  status(code: number): unknown;
  setHeader(name: string, value: string): unknown;
}

/** Where keys are traded for tokens, and tokens' keys are found. */
@Controller()
@ApiTags('tokens')
export class TokensController {
  readonly #tokens: Tokens;
  readonly #keys: SigningKeys;
  readonly #attempts: Attempts;

  constructor(
    @Inject(Tokens) tokens: Tokens,
    @Inject(SigningKeys) keys: SigningKeys,
    @Inject(Attempts) attempts: Attempts,
  ) {
    this.#tokens = tokens;
    this.#keys = keys;
    this.#attempts = attempts;
  }

  @Get('.well-known/jwks.json')
  @ApiOperation({ summary: 'Public keys that verify tokens (RFC 7517)' })
  keySet(): unknown {
    return this.#keys.keySet;
  }

  @Post('oauth/token')
  @HttpCode(200)
  @ApiOperation({ summary: 'Trade a proof of key possession for a token (RFC 6749, RFC 7523)' })
  @ApiConsumes('application/x-www-form-urlencoded')
  @ApiBody({
    schema: {
      type: 'object',
      required: ['grant_type', 'client_assertion_type', 'client_assertion'],
      properties: {
        grant_type: { type: 'string', enum: ['client_credentials'] },
        client_assertion_type: { type: 'string', enum: [assertionType] },
        client_assertion: { type: 'string', description: 'JWT, EdDSA, signed with the enrolled key' },
        audience: { type: 'string', description: 'a target, countersign-approval or countersign-evidence' },
        grant_id: { type: 'string', format: 'uuid', description: 'grant of the agent on the target' },
      },
    },
  })
  async issue(@Req() request: TokenRequest, @Res({ passthrough: true }) response: Answer): Promise<unknown> {
    const peer = request.socket.remoteAddress ?? '';
    try {
      if (this.#attempts.exhausted(peer, performance.now()))
        throw new CountersignError('auth.too_many_attempts');
      const { token, expiresIn } = await this.#exchange(request);
      return { access_token: token, token_type: 'Bearer', expires_in: expiresIn };
    } catch (thrown) {
      const error = toCountersignError(thrown);
      if (error.entry.http < 500) this.#attempts.refused(peer, performance.now());
      const status = statusOf(error);
      response.status(status);
      if (status === 503 || status === 429) response.setHeader('Retry-After', '1');
      const name = error.detail === unsupported ? 'unsupported_grant_type' : undefined;
      return oauthProblem(error, name);
    }
  }

  async #exchange({ headers, body }: TokenRequest): Promise<{ token: string; expiresIn: number }> {
    const type = String(headers['content-type'] ?? '').split(';')[0];
    if (type?.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
      throw new CountersignError('request.invalid', { detail: 'Send application/x-www-form-urlencoded.' });
    }
    const form = parseRequest(tokenForm, body);
    if (form.grant_type !== 'client_credentials') {
      throw new CountersignError('request.invalid', { detail: unsupported });
    }
    // What is missing is refused as what is wrong is: there, so that it becomes an event.
    const assertion = form.client_assertion_type === assertionType ? (form.client_assertion ?? '') : '';
    const { audience = null, grant_id: grant = null } = form;
    return await this.#tokens.exchange(assertion, { audience, grant, client: form.client_id });
  }
}

const unsupported = 'grant_type must be client_credentials.';

/** RFC 6749 answers 400 but for a client that failed to prove itself. */
function statusOf(error: CountersignError): number {
  const { http } = error.entry;
  return http === 401 || http === 413 || http === 429 || http >= 500 ? http : 400;
}
