import { canonicalJson, type Digest, digestOf } from '@countersign/contracts';
import { invalid, type Members } from './archive.js';
import { parseJson } from './json.js';

/** Where a bundle carries the exact sources it was built of. */
export const sourcesFolder = 'sources/';

/**
 * Digest of a policy's sources: SHA-256 over the canonical JSON of all [path, digest of the content], sorted by path.
 * Rego, its tests and data are all sources, so that one digest stands for one policy.
 */
export function sourcesDigest(sources: Members): Digest {
  const entries = [...sources].map(([path, content]): [string, Digest] => [path, digestOf(content)]);
  return digestOf(canonicalJson(entries.sort(([one], [other]) => (one < other ? -1 : 1))));
}

/** The sources in a bundle, by path below the policy's folder. */
export function sourcesIn(members: Members): Members {
  return new Map(
    [...members]
      .filter(([path]) => path.startsWith(sourcesFolder))
      .map(([path, content]) => [path.slice(sourcesFolder.length), content]),
  );
}

/** The data document of the sources: `roles/data.json` stands at `data.roles`. */
export function dataOf(sources: Members): unknown {
  const root: Record<string, unknown> = Object.create(null);
  for (const [path, content] of sources) {
    if (path !== 'data.json' && !path.endsWith('/data.json')) continue;
    const keys = path.split('/').slice(0, -1);
    const last = keys.pop();
    if (last === undefined) throw invalid('Data has to stand in a folder that names it.');
    let place = root;
    for (const key of keys) {
      const next = place[key] ?? Object.create(null);
      if (typeof next !== 'object') throw invalid('Data overlaps.');
      place[key] = next;
      place = next;
    }
    if (place[last] !== undefined) throw invalid('Data overlaps.');
    place[last] = parseJson(content);
  }
  return root;
}
