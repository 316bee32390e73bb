import type { EventData } from '@countersign/contracts';
import { fromBase64 } from '@countersign/transparency';
import { type DossierPolicy, dossierLimits } from '../../dossier/index.js';
import type { PolicyRunner } from '../../policy/index.js';
import type { Findings } from '../../report/index.js';

interface Bundle {
  /** Null where it cannot be loaded, or is of another policy. */
  readonly bundleDigest: string | null;
  readonly line: number;
}

/** The policy bundles of a dossier, and what events say of them. */
export class Bundles {
  readonly #findings: Findings;
  readonly #runner: PolicyRunner;
  readonly #bundles = new Map<string, Bundle>();
  /** Bundle digests by policy digest, as events named them: one policy may have been compiled more than once. */
  readonly #activated = new Map<string, Set<string>>();
  #size = 0;

  constructor(runner: PolicyRunner, findings: Findings) {
    this.#runner = runner;
    this.#findings = findings;
  }

  async add({ policyDigest, bundle }: DossierPolicy, line: number): Promise<void> {
    this.#size += bundle.length;
    const tooMuch = this.#bundles.size >= dossierLimits.policies || this.#size > dossierLimits.policyBytes;
    const bundleDigest = tooMuch ? null : await this.#load(fromBase64(bundle), policyDigest, line);
    if (tooMuch)
      this.#findings.add(
        'policy.unreadable',
        { line, policyDigest },
        'The dossier holds more policy than a verifier takes.',
      );
    this.#bundles.set(policyDigest, { bundleDigest, line });
  }

  /** Digest of the policy's bundle; null where it cannot be run, undefined where it is not there. */
  bundleOf(policyDigest: string): string | null | undefined {
    return this.#bundles.get(policyDigest)?.bundleDigest;
  }

  /** False where the event does not name both digests. */
  activate({ policyDigest, bundleDigest }: EventData['countersign.policy.activated.v1']): boolean {
    if (typeof policyDigest !== 'string' || typeof bundleDigest !== 'string') return false;
    const known = this.#activated.get(policyDigest) ?? new Set();
    this.#activated.set(policyDigest, known.add(bundleDigest));
    return true;
  }

  /** Once all events were seen. */
  finish(): void {
    for (const [policyDigest, { bundleDigest, line }] of this.#bundles) {
      const activated = this.#activated.get(policyDigest);
      const where = { line, policyDigest };
      if (activated === undefined)
        this.#findings.add(
          'policy.not-activated',
          where,
          `No event says that the policy ${policyDigest} was activated.`,
        );
      else if (bundleDigest !== null && !activated.has(bundleDigest))
        this.#findings.add(
          'policy.bundle',
          where,
          `The bundle of policy ${policyDigest} has the digest ${bundleDigest}; the one that was activated has ${[...activated].join(' or ')}.`,
        );
    }
  }

  async #load(bytes: Uint8Array, policyDigest: string, line: number): Promise<string | null> {
    const where = { line, policyDigest };
    const identity = await this.#runner.load(bytes);
    if (identity?.policyDigest === policyDigest) return identity.bundleDigest;
    if (identity === null)
      this.#findings.add(
        'policy.unreadable',
        where,
        `The bundle of policy ${policyDigest} cannot be loaded.`,
      );
    else
      this.#findings.add(
        'policy.bundle',
        where,
        `The bundle is that of policy ${identity.policyDigest}, not of ${policyDigest}.`,
      );
    return null;
  }
}
