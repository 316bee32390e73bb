import { randomUUID } from 'node:crypto';
import { CountersignError, fromWire } from '@countersign/errors';
import { SignJWT } from 'jose';
import { z } from 'zod';
import { readKeyFile } from './key-file.store.js';
import type { Settings } from './settings.store.js';

/** How long an answer may take, milliseconds, and how large it may be, bytes. */
const limits = { time: 15_000, size: 8 * 1024 * 1024 } as const;
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const approvalAudience = 'countersign-approval';

/** Problem details (RFC 9457), or what a token endpoint answers (RFC 6749): there the text is `error_description`. */
const problem = z.object({
  code: z.string(),
  detail: z.string().optional(),
  error_description: z.string().optional(),
  next: z.string().optional(),
});
const issued = z.object({ access_token: z.string(), expires_in: z.int() });

export interface IssuedToken {
  readonly token: string;
  /** Seconds. */
  readonly expiresIn: number;
}

async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > limits.size) throw new CountersignError('request.too_large', { detail: 'So was the answer.' });
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** The error that an answer tells; its message repeats the catalogue, so that only the detail is taken over. */
function failureOf(status: number, body: unknown): CountersignError {
  const result = problem.safeParse(body);
  if (!result.success) {
    return new CountersignError('rpc.unavailable', {
      detail: `The answer was HTTP ${status} without a reason.`,
    });
  }
  const { code, next } = result.data;
  const detail = result.data.detail ?? result.data.error_description;
  const message = fromWire({ code }).message;
  const more = detail?.startsWith(message) === true ? detail.slice(message.length).trim() : '';
  return fromWire({
    code,
    ...(more === '' ? {} : { detail: more }),
    ...(next === undefined ? {} : { next }),
  });
}

async function ask(url: URL, options: RequestInit): Promise<unknown> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { ...options, redirect: 'error', signal: AbortSignal.timeout(limits.time) });
    text = await textOf(response);
  } catch (error) {
    if (error instanceof CountersignError) throw error;
    throw new CountersignError('rpc.unavailable', { detail: `The address is ${url.origin}.`, cause: error });
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw failureOf(response.status, undefined);
  }
  if (!response.ok) throw failureOf(response.status, body);
  return body;
}

/** The HTTP API of the approval service, as one principal sees it. */
export class ApprovalClient {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  #address(path: string): URL {
    return new URL(`${this.#settings.url.replace(/\/+$/, '')}${path}`);
  }

  /** Proves the key and gets a token (RFC 7523). Throws what the service refuses. */
  async token(wish: { audience?: string | undefined; grant?: string | undefined }): Promise<IssuedToken> {
    const { id, key, issuer } = this.#settings;
    if (id === undefined || key === undefined) {
      throw new CountersignError('config.invalid', { detail: 'A token needs --id and --key.' });
    }
    const assertion = await new SignJWT()
      .setProtectedHeader({ alg: 'EdDSA' })
      .setIssuer(id)
      .setSubject(id)
      .setAudience(issuer)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime('60s')
      .sign(readKeyFile(key).privateKey);
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: assertionType,
      client_assertion: assertion,
      ...(wish.audience === undefined ? {} : { audience: wish.audience }),
      ...(wish.grant === undefined ? {} : { grant_id: wish.grant }),
    });
    const body = issued.parse(await ask(this.#address('/oauth/token'), { method: 'POST', body: form }));
    return { token: body.access_token, expiresIn: body.expires_in };
  }

  /** Calls the API with the token that was given, or a fresh one, and reads the answer by a schema. */
  async call<Schema extends z.ZodType>(
    method: 'GET' | 'POST',
    path: string,
    schema: Schema,
    body?: unknown,
  ): Promise<z.output<Schema>> {
    const token = this.#settings.token ?? (await this.token({ audience: approvalAudience })).token;
    const answer = await ask(this.#address(path), {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const result = schema.safeParse(answer);
    if (!result.success) {
      throw new CountersignError('rpc.unavailable', {
        detail: 'The answer is none of the approval service.',
      });
    }
    return result.data;
  }
}
