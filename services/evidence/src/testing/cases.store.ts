import { readFileSync } from 'node:fs';
import type { TokenChanges } from './issuer.server.js';

export interface AccessCase {
  readonly who: string;
  readonly status: number;
  readonly code: string;
  readonly token: TokenChanges;
}

/** Tokens that are refused, and how. */
export function readAccess(): readonly AccessCase[] {
  return JSON.parse(
    readFileSync(new URL('../../cases/access.json', import.meta.url), 'utf8'),
  ) as AccessCase[];
}
