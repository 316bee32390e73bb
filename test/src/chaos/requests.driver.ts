import { setTimeout as delay } from 'node:timers/promises';
import { type AgentPart, apiName, type Deployment } from '@countersign/deploy';
import { endingOf, patienceMilliseconds } from '../e2e/support/index.js';
import type { Requested } from './judge-requests.js';

const pauseMilliseconds = 10;
const failureMilliseconds = 100;

/** A round of an agent: masked, masked, refused by policy. */
const paths = ['/v1/appointments?limit=3', '/v1/appointments/7', '/v1/export'] as const;

/** One agent that sends a request after the other to the sample's HTTP target, for ever. */
export class Requests {
  readonly requested: Requested[] = [];
  readonly #deployment: Deployment;
  readonly #part: AgentPart;
  #token: string | null = null;
  #stopped = false;
  #paused = false;
  /** Resolves once the loop stands still. */
  readonly #still = Promise.withResolvers<void>();
  readonly #done: Promise<void>;

  constructor(deployment: Deployment, part: AgentPart) {
    this.#deployment = deployment;
    this.#part = part;
    this.#done = this.#run();
  }

  /** Requests that the target answered. */
  get served(): number {
    return this.requested.filter(({ ending }) => ending.kind === 'rows').length;
  }

  /** Resolves when nothing of this agent is under way; it asks for nothing any more. */
  async pause(): Promise<void> {
    this.#paused = true;
    await this.#still.promise;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    for (let turn = 0; !this.#stopped && !this.#paused; turn += 1) {
      await this.#ask(paths[turn % paths.length] ?? paths[0]);
      await delay(pauseMilliseconds);
    }
    this.#still.resolve();
  }

  async #ask(path: string): Promise<void> {
    const { people, ports } = this.#deployment;
    this.#token ??= await people.sessionToken(this.#part, apiName).catch(() => null);
    if (this.#token === null) {
      await delay(failureMilliseconds);
      return;
    }
    let action: string | null = null;
    let code: string | null = null;
    const answered = fetch(`http://127.0.0.1:${ports.ingressHttp}/${apiName}${path}`, {
      headers: { authorization: `Bearer ${this.#token}` },
      signal: AbortSignal.timeout(patienceMilliseconds),
    }).then(async (response) => {
      action = response.headers.get('countersign-action');
      const body = (await response.json()) as { readonly code?: string };
      if (!response.ok) code = body.code ?? '';
      return {};
    });
    const { what, kind } = await endingOf(`GET ${path}`, answered);
    const refusal = code as string | null;
    this.requested.push({
      action,
      ending: refusal === null ? { what, kind, code: '' } : { what, kind: 'refused', code: refusal },
    });
    if (refusal !== null && /^(auth|grant)\./.test(refusal)) this.#token = null;
    if (kind === 'lost') await delay(failureMilliseconds);
  }
}
