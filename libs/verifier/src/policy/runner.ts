import { canonicalJson, type PolicyInput } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { type LoadedPolicy, loadPolicy } from '@countersign/policy-runtime';

export interface PolicyIdentity {
  /** Digest of the policy's sources. */
  readonly policyDigest: string;
  /** Digest of the bundle's bytes. */
  readonly bundleDigest: string;
}

export interface Question {
  readonly bundleDigest: string;
  /** Canonical JSON of a PolicyInput. */
  readonly input: string;
}

/**
 * Runs policies out of a dossier. They are programs of whoever made it: a runner that is to stand a hostile one bounds
 * their time.
 */
export interface PolicyRunner {
  /** Null for a bundle that cannot be loaded. */
  load(bundle: Uint8Array): Promise<PolicyIdentity | null>;
  /** Canonical JSON of each decision, in the order asked; null where a policy gives none. */
  decide(questions: readonly Question[]): Promise<readonly (string | null)[]>;
}

/** Runs policies where it is called, without a bound on their time. */
export class LocalPolicyRunner implements PolicyRunner {
  readonly #loaded = new Map<string, LoadedPolicy>();

  async load(bundle: Uint8Array): Promise<PolicyIdentity | null> {
    try {
      const policy = await loadPolicy(bundle);
      this.#loaded.set(policy.bundleDigest, policy);
      return { policyDigest: policy.policyDigest, bundleDigest: policy.bundleDigest };
    } catch (error) {
      if (error instanceof CountersignError) return null;
      throw error;
    }
  }

  async decide(questions: readonly Question[]): Promise<readonly (string | null)[]> {
    return questions.map((question) => this.#decideOne(question));
  }

  #decideOne({ bundleDigest, input }: Question): string | null {
    const policy = this.#loaded.get(bundleDigest);
    if (policy === undefined) return null;
    try {
      return canonicalJson(policy.decide(JSON.parse(input) as PolicyInput));
    } catch (error) {
      if (error instanceof CountersignError) return null;
      throw error;
    }
  }
}
