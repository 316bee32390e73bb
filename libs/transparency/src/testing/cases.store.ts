import { readFileSync } from 'node:fs';

/** Cases live beside the package's sources; specs run from dist. */
export function readCases<Cases>(name: string): Cases {
  return JSON.parse(readFileSync(new URL(`../../cases/${name}`, import.meta.url), 'utf8')) as Cases;
}
