import { type Decision, digestOf, type policyRpc } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Decided, DecisionQuestion, PolicyPort } from '../ports.js';
import { answerOf } from './errors.js';

/** The methods of libs/rpc's client that are used here. */
export interface PolicyRpc {
  decide(request: policyRpc.DecideRequest): Promise<policyRpc.DecideResponse>;
}

const decisionShape = z.strictObject({
  verdict: z.enum(['allow', 'deny', 'modify', 'step_up', 'defer']),
  rules: z.array(z.string().max(200)).min(1).max(100),
  reason: z.string().max(2000),
  obligations: z
    .strictObject({
      profile: z.string().min(1).max(100),
      lookups: z.array(z.string().max(200)).max(1000),
      rowLimit: z.int().min(0).nullable(),
      timeLimitSeconds: z.number().positive().nullable(),
    })
    .nullable(),
});

const INPUT_LIMIT = 64 * 1024;

/**
 * Policy's decisions, remembered by their exact input while the stream of policy changes is unbroken. The time is in
 * the input in whole seconds: what is remembered is the answer to the very same question.
 */
export class PolicyClient implements PolicyPort {
  readonly #rpc: PolicyRpc;
  readonly #cache: LRUCache<string, Decided>;
  #active: string | null = null;

  constructor(rpc: PolicyRpc, cacheBytes: number) {
    this.#rpc = rpc;
    this.#cache = new LRUCache({
      maxSize: cacheBytes,
      sizeCalculation: (decided, key) => 2 * (key.length + JSON.stringify(decided.decision).length) + 400,
    });
  }

  /** The policy that the stream names as active; null while the stream is broken. */
  get active(): string | null {
    return this.#active;
  }

  onActive(policyDigest: string): void {
    if (policyDigest !== this.#active) this.#cache.clear();
    this.#active = policyDigest;
  }

  onBroken(): void {
    this.#active = null;
    this.#cache.clear();
  }

  decide(question: DecisionQuestion): Decided | Promise<Decided> {
    const known = this.#active === null ? undefined : this.#cache.get(question.key);
    return known ?? this.#ask(question);
  }

  async #ask(question: DecisionQuestion): Promise<Decided> {
    const input = Buffer.from(question.input());
    if (input.length > INPUT_LIMIT) throw new CountersignError('statement.too_complex');
    const response = await this.#rpc.decide({ input }).catch((thrown: unknown) => {
      throw answerOf(thrown, [], 'policy.unavailable');
    });
    const decided: Decided = {
      decision: readDecision(response.decision),
      time: question.time,
      inputDigest: digestOf(input),
      policyDigest: response.policyDigest,
    };
    if (response.inputDigest !== decided.inputDigest) throw new CountersignError('policy.unavailable');
    // An answer of another policy than the active one came from before or after a change.
    if (response.policyDigest === this.#active) this.#cache.set(question.key, decided);
    return decided;
  }
}

function readDecision(bytes: Buffer): Decision {
  try {
    return decisionShape.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new CountersignError('policy.unavailable', { cause });
  }
}
