import { fingerprintOf } from '@countersign/ledger';
import { type LoadedPolicy, loadPolicy } from '@countersign/policy-runtime';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { readRepositoryBundle } from './testing/bundle.store.js';
import { createDeployment, type Deployment } from './testing/deployment.fixture.js';
import { honestParts, linesOf, type Parts } from './testing/dossier.fixture.js';
import { tellStory } from './testing/story.fixture.js';
import { verifyDossier } from './verify-dossier.js';

const bundle = readRepositoryBundle();
let deployment: Deployment;
let policy: LoadedPolicy;
let parts: Parts;
let authority: string;

beforeAll(async () => {
  policy = await loadPolicy(bundle);
  deployment = await createDeployment();
  authority = fingerprintOf(deployment.authority.certificatePem);
  const { leaves } = tellStory(deployment, policy);
  parts = honestParts(deployment, leaves, [{ policyDigest: policy.policyDigest, bundle }]);
});

describe('an honest dossier', () => {
  it('is authentic for whoever trusts the authority', async () => {
    const report = await verifyDossier(await linesOf(parts), { trust: [authority] });
    expect(report.findings).toEqual([]);
    expect(report.verdict).toBe('authentic');
  });
});
