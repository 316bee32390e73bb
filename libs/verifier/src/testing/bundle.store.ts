import { readFileSync } from 'node:fs';

/** The policy bundle of the repository. */
export function readRepositoryBundle(): Uint8Array {
  return readFileSync(new URL('../../../../policies/bundle.tar.gz', import.meta.url));
}

/** A file of cases, JSON. */
export function readCases<Cases>(name: string): Cases {
  return JSON.parse(readFileSync(new URL(`../../cases/${name}`, import.meta.url), 'utf8')) as Cases;
}
