import { type Digest, digestOf, type EventData } from '@countersign/contracts';
import { type LoadedPolicy, loadPolicy } from '@countersign/policy-runtime';

/** What is recorded when a policy begins to decide. */
export type Activation = EventData['countersign.policy.activated.v1'];

export interface ActivePolicyPorts {
  /** Resolves once the activation is durable. */
  record(activation: Activation): Promise<void>;
  /** Called after each change, in order. */
  onActivated?(activation: Activation): void;
}

/** What became of bytes that were offered as a bundle. */
export type Offer = 'activated' | 'unchanged';

/**
 * The policy that decides. A new one takes over in one step, and only after its activation is durable: there is no
 * decision under a policy that the event log has not heard of. Whatever cannot be loaded or recorded changes nothing.
 */
export class ActivePolicy {
  readonly #ports: ActivePolicyPorts;
  #current: LoadedPolicy | null = null;
  /** What was offered last and cannot be loaded: it is offered again at each look, and stays what it is. */
  #refused: { readonly bundleDigest: Digest; readonly error: unknown } | null = null;
  /** Offers are taken one after the other, so that the order of events is the order of changes. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(ports: ActivePolicyPorts) {
    this.#ports = ports;
  }

  /** The policy that decides now; null before the first. */
  get current(): LoadedPolicy | null {
    return this.#current;
  }

  /**
   * Takes the bytes of a bundle as the next policy.
   * @throws policy.bundle_invalid, recording.unavailable: the policy that was active stays active
   */
  offer(bundle: Uint8Array): Promise<Offer> {
    const turn = this.#queue.then(() => this.#take(bundle));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #take(bundle: Uint8Array): Promise<Offer> {
    const bundleDigest: Digest = digestOf(bundle);
    if (bundleDigest === this.#current?.bundleDigest) return 'unchanged';
    if (bundleDigest === this.#refused?.bundleDigest) throw this.#refused.error;
    const next = await loadPolicy(bundle).catch((error: unknown) => {
      this.#refused = { bundleDigest, error };
      throw error;
    });
    const activation: Activation = {
      policyDigest: next.policyDigest,
      bundleDigest,
      previous: this.#current?.policyDigest ?? null,
    };
    await this.#ports.record(activation);
    this.#current = next;
    this.#ports.onActivated?.(activation);
    return 'activated';
  }
}
