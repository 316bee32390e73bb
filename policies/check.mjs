// Checks the policy without changing anything: that the committed bundle is that of the sources, and, where Go is there,
// formatting, strictness, tests, and that building it again gives the same bytes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzip, loadPolicy, sourcesDigest } from '@countersign/policy-runtime';
import { compileBundle, readSources } from './tools/bundle.mjs';
import {
  bundleFile,
  inTemporaryFolder,
  opa,
  sourcesArgument,
  whyNoOpa,
  writeCapabilities,
} from './tools/opa.mjs';

let failures = 0;

async function check(title, run) {
  try {
    await run();
    process.stdout.write(`✔ ${title}\n`);
  } catch (error) {
    failures += 1;
    process.stdout.write(`✖ ${title}\n${error.message}\n`);
  }
}

const committed = readFileSync(bundleFile);
await check('the bundle is that of the sources', async () => {
  const { policyDigest } = await loadPolicy(committed);
  if (policyDigest !== sourcesDigest(readSources())) throw new Error('Run node policies/build.mjs.');
});

const why = whyNoOpa();
if (why === null) {
  await check('formatted', () => opa(['fmt', '--fail', '--list', sourcesArgument]));
  await check('strict, with built-ins that exist in WebAssembly', () =>
    inTemporaryFolder((folder) => {
      const capabilities = join(folder, 'capabilities.json');
      writeCapabilities(capabilities);
      opa(['check', '--strict', '--capabilities', capabilities, '--ignore', '*_test.rego', sourcesArgument]);
    }),
  );
  await check('tests are strict', () => opa(['check', '--strict', sourcesArgument]));
  await check('tests pass', () => opa(['test', sourcesArgument]));
  await check('a new build gives the same bytes', async () => {
    // Compared as they were before compression, which may differ between builds of zlib.
    const built = await compileBundle();
    if (Buffer.compare(gunzip(built), gunzip(committed)) !== 0)
      throw new Error('Run node policies/build.mjs.');
  });
} else {
  process.stdout.write(`SKIP formatting, tests and a new build of the policy: ${why}\n`);
  if (process.env.POLICY_TOOLS === 'required') failures += 1;
}
process.exitCode = failures === 0 ? 0 : 1;
