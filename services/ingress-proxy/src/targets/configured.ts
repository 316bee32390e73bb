import { CountersignError } from '@countersign/errors';
import type { Target } from './target.js';

/** A target as the configuration has it. */
export interface ConfiguredTarget {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password?: { reveal(): string } | undefined;
  readonly tls?:
    | { readonly authorityFile?: string | undefined; readonly serverName?: string | undefined }
    | undefined;
  readonly schemas: readonly string[];
}

/**
 * Targets by name.
 * @param readFile gives the text of a file that the configuration names
 * @throws CountersignError config.invalid for a name given twice, or bytes that would travel in clear
 */
export function targetsOf(
  configured: readonly ConfiguredTarget[],
  readFile: (file: string) => string,
  isPrivate: (host: string) => boolean,
): ReadonlyMap<string, Target> {
  const targets = new Map<string, Target>();
  for (const target of configured) {
    const { name, host, port, database, user, schemas, password, tls } = target;
    if (targets.has(name)) {
      throw new CountersignError('config.invalid', { detail: `The target ${name} is configured twice.` });
    }
    if (tls === undefined && !isPrivate(host)) {
      throw new CountersignError('config.invalid', { detail: `The target ${name} needs TLS.` });
    }
    targets.set(name, {
      name,
      host,
      port,
      database,
      user,
      schemas,
      password: () => password?.reveal() ?? null,
      tls:
        tls === undefined
          ? null
          : {
              authority: tls.authorityFile === undefined ? null : readFile(tls.authorityFile),
              serverName: tls.serverName ?? host,
            },
    });
  }
  return targets;
}
