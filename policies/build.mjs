// Builds policies/bundle.tar.gz of policies/gateway. Needs Go, and the compiled libraries (`npm run build`).
import { writeFileSync } from 'node:fs';
import { loadPolicy } from '@countersign/policy-runtime';
import { compileBundle } from './tools/bundle.mjs';
import { bundleFile, opa, sourcesArgument } from './tools/opa.mjs';

opa(['fmt', '--write', sourcesArgument]);
const bundle = await compileBundle();
const { policyDigest, bundleDigest } = await loadPolicy(bundle);
writeFileSync(bundleFile, bundle);
process.stdout.write(`bundle.tar.gz  policy ${policyDigest}\n               bundle ${bundleDigest}\n`);
