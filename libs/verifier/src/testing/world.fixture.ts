import type { KeyObject } from 'node:crypto';
import { fingerprintOf } from '@countersign/ledger';
import { type LoadedPolicy, loadPolicy } from '@countersign/policy-runtime';
import type { VerificationReport } from '../report/index.js';
import { verifyDossier } from '../verify-dossier.js';
import { readRepositoryBundle } from './bundle.store.js';
import { createDeployment, type Deployment } from './deployment.fixture.js';
import { honestParts, linesOf, type Parts } from './dossier.fixture.js';
import { tellStory } from './story.fixture.js';

/** An installation with its story and honest dossier, and the keys for whoever plays a forger. */
export interface World {
  readonly deployment: Deployment;
  readonly policy: LoadedPolicy;
  readonly bundle: Uint8Array;
  readonly parts: Parts;
  readonly epochKeys: ReadonlyMap<string, KeyObject>;
  /** Fingerprints by the words of the tamper table. */
  readonly trust: { readonly authority: string; readonly checkpoint: string };
}

export async function createWorld(): Promise<World> {
  const bundle = readRepositoryBundle();
  const policy = await loadPolicy(bundle);
  const deployment = await createDeployment();
  const { leaves, epochKeys } = tellStory(deployment, policy);
  return {
    deployment,
    policy,
    bundle,
    parts: honestParts(deployment, leaves, [{ policyDigest: policy.policyDigest, bundle }]),
    epochKeys,
    trust: {
      authority: fingerprintOf(deployment.authority.certificatePem),
      checkpoint: deployment.checkpointFingerprint,
    },
  };
}

export async function verifyParts(parts: Parts, ...trust: readonly string[]): Promise<VerificationReport> {
  return verifyDossier(await linesOf(parts), { trust });
}
