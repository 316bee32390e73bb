import { canonicalJson, type Digest, digestOf } from '@countersign/contracts';
import { invalid, type Members, unpack } from './archive.js';
import { parseJson } from './json.js';
import { dataOf, sourcesDigest, sourcesIn } from './sources.js';

/** The entrypoint that a policy must have: the rule `decision` of the package `gateway`. */
export const entrypoint = 'gateway/decision';

export interface Bundle {
  /** Digest of the sources: the manifest's revision, computed again from the sources that the bundle carries. */
  readonly policyDigest: Digest;
  /** Digest of the bundle's exact bytes. */
  readonly bundleDigest: Digest;
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** JSON text of the data document. */
  readonly data: string;
}

/**
 * Reads a compiled bundle (OPA bundle format). Its data must be that of its sources, and its revision their digest.
 * That the WebAssembly was compiled of them only a new build can show: `policies/build.mjs`.
 * @throws policy.bundle_invalid
 */
export function readBundle(archive: Uint8Array): Bundle {
  const members = unpack(archive);
  const sources = sourcesIn(members);
  const policyDigest = sourcesDigest(sources);
  if (revisionOf(members) !== policyDigest) throw invalid('Its revision is not the digest of its sources.');
  const data = canonicalJson(parseJson(member(members, 'data.json')));
  if (data !== canonicalJson(dataOf(sources))) throw invalid('Its data is not that of its sources.');
  return {
    policyDigest,
    bundleDigest: digestOf(archive),
    wasm: Uint8Array.from(member(members, 'policy.wasm')),
    data,
  };
}

function revisionOf(members: Members): unknown {
  const manifest = parseJson(member(members, '.manifest'));
  if (typeof manifest !== 'object' || manifest === null || !('revision' in manifest)) {
    throw invalid('Its manifest has no revision.');
  }
  return manifest.revision;
}

function member(members: Members, name: string): Uint8Array {
  const content = members.get(name);
  if (content === undefined) throw invalid(`It has no ${name}.`);
  return content;
}
