import { readFileSync } from 'node:fs';

/** The policy bundle of the repository. */
export function readRepositoryBundle(): Uint8Array {
  return readFileSync(new URL('../../../../policies/bundle.tar.gz', import.meta.url));
}

/** A file of cases, one JSON text a line. */
export function readCases<Case>(name: string): readonly Case[] {
  return readFileSync(new URL(`../../cases/${name}`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Case);
}
