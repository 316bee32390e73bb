// Compiles the policy into a bundle: the WebAssembly, its data, and the exact sources of both.
import { readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { pack, sourcesDigest, sourcesFolder, unpack } from '@countersign/policy-runtime';
import { filesUnder } from '../../tools/files.mjs';
import { inTemporaryFolder, opa, policies, sourcesArgument, writeCapabilities } from './opa.mjs';

/** The sources of a policy by path below its folder. */
export function readSources(folder = join(policies, sourcesArgument)) {
  const files = filesUnder(folder).filter((file) => file.endsWith('.rego') || file.endsWith('data.json'));
  return new Map(files.map((file) => [relative(folder, file).split(sep).join('/'), readFileSync(file)]));
}

/** Compiles and packs; the same sources give the same archive. */
export async function compileBundle() {
  const sources = readSources();
  const built = await inTemporaryFolder((folder) => {
    const capabilities = join(folder, 'capabilities.json');
    const output = join(folder, 'bundle.tar.gz');
    writeCapabilities(capabilities);
    opa([
      'build',
      ...['--target', 'wasm', '--entrypoint', 'gateway/decision', '--ignore', '*_test.rego'],
      ...['--capabilities', capabilities, '--revision', sourcesDigest(sources), '--output', output],
      sourcesArgument,
    ]);
    return unpack(readFileSync(output));
  });
  return pack(
    new Map([
      ...['.manifest', 'data.json', 'policy.wasm'].map((name) => [name, built.get(name)]),
      ...[...sources].map(([path, content]) => [`${sourcesFolder}${path}`, content]),
    ]),
  );
}
