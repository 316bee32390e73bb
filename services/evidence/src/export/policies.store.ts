import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '@countersign/contracts';

/** A compiled policy bundle. */
export interface Bundle {
  readonly policyDigest: string;
  readonly bundle: Uint8Array;
}

const suffix = '.tar.gz';

/** Bundle files larger than this are a mistake, bytes. */
const mostBytes = 64 * 1024 * 1024;

/**
 * Yields the bundles among files and folders that the log says were activated, one at a time, each policy once.
 * @param activated policy digest by digest of the bundle's bytes
 */
export async function* readBundles(
  paths: readonly string[],
  activated: ReadonlyMap<string, string>,
): AsyncGenerator<Bundle> {
  const given = new Set<string>();
  for (const file of await filesOf(paths)) {
    if ((await stat(file)).size > mostBytes) continue;
    const bundle = await readFile(file);
    const policyDigest = activated.get(digestOf(bundle));
    if (policyDigest === undefined || given.has(policyDigest)) continue;
    given.add(policyDigest);
    yield { policyDigest, bundle };
  }
}

async function filesOf(paths: readonly string[]): Promise<readonly string[]> {
  const files: string[] = [];
  for (const path of paths) {
    if (!(await stat(path)).isDirectory()) {
      files.push(path);
      continue;
    }
    const names = (await readdir(path)).filter((name) => name.endsWith(suffix)).sort();
    files.push(...names.map((name) => join(path, name)));
  }
  return files;
}
