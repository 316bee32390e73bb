import { canonicalJson, type Digest, digestOf, type Verdict } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { inputLimit, type LoadedPolicy } from '@countersign/policy-runtime';
import { LRUCache } from 'lru-cache';

/** A decision with what it was made of. */
export interface Decided {
  /** Canonical JSON of a Decision. */
  readonly decision: Buffer;
  readonly inputDigest: Digest;
  readonly policyDigest: Digest;
  readonly verdict: Verdict;
  /** Whether it was remembered. */
  readonly remembered: boolean;
}

type Remembered = Pick<Decided, 'decision' | 'verdict'>;

/**
 * Decides by the policy that is active, and remembers decisions by the digest of their exact input. Inputs hold their
 * time and policies are pure, so a remembered decision is the decision; each policy has a memory of its own.
 */
export class Decider {
  readonly #active: () => LoadedPolicy | null;
  readonly #entries: number;
  #policy: LoadedPolicy | null = null;
  #memory: LRUCache<Digest, Remembered> | null = null;

  /** @param entries decisions that are remembered at most; 0 for none */
  constructor(active: () => LoadedPolicy | null, entries: number) {
    this.#active = active;
    this.#entries = entries;
  }

  /**
   * @param input canonical JSON of a PolicyInput
   * @throws policy.unavailable before the first policy; request.invalid, request.too_large, policy.failed
   */
  decide(input: Uint8Array): Decided {
    const policy = this.#active();
    if (policy === null) throw new CountersignError('policy.unavailable');
    if (input.length > inputLimit) throw new CountersignError('request.too_large');
    const memory = this.#memoryOf(policy);
    const inputDigest = digestOf(input);
    const known = memory?.get(inputDigest);
    if (known !== undefined) {
      return { ...known, inputDigest, policyDigest: policy.policyDigest, remembered: true };
    }
    const decision = policy.decideBytes(input);
    const fresh = { decision: Buffer.from(canonicalJson(decision)), verdict: decision.verdict };
    memory?.set(inputDigest, fresh);
    return { ...fresh, inputDigest, policyDigest: policy.policyDigest, remembered: false };
  }

  #memoryOf(policy: LoadedPolicy): LRUCache<Digest, Remembered> | null {
    if (policy !== this.#policy) {
      this.#policy = policy;
      this.#memory = this.#entries > 0 ? new LRUCache({ max: this.#entries }) : null;
    }
    return this.#memory;
  }
}
