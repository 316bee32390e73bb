import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CountersignError } from '@countersign/errors';
import { z } from 'zod';

/** What commands that talk to the approval service are told. */
const settingsSchema = z.strictObject({
  url: z.url().optional(),
  issuer: z.string().min(1).optional(),
  id: z.string().min(1).optional(),
  key: z.string().min(1).optional(),
  token: z.string().min(1).optional(),
});
type GivenSettings = z.output<typeof settingsSchema>;

export interface Settings extends GivenSettings {
  readonly url: string;
  readonly issuer: string;
}

const defaults = { url: 'http://127.0.0.1:8443', issuer: 'urn:countersign:approval' } as const;

type Environment = Readonly<Record<string, string | undefined>>;

function environmentSettings(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.keys(settingsSchema.shape).flatMap((key) => {
      const value = environment[`COUNTERSIGN_CLI_${key.toUpperCase()}`];
      return value === undefined || value === '' ? [] : [[key, value]];
    }),
  );
}

function fileSettings(named: string | undefined, environment: Environment): GivenSettings {
  const folder = environment.XDG_CONFIG_HOME || join(homedir(), '.config');
  const file = named ?? environment.COUNTERSIGN_CLI_CONFIG ?? join(folder, 'countersign', 'cli.json');
  if (named === undefined && environment.COUNTERSIGN_CLI_CONFIG === undefined && !existsSync(file)) return {};
  const invalid = (cause?: unknown) =>
    new CountersignError('config.invalid', {
      detail: `${file} must be a JSON file with some of ${Object.keys(settingsSchema.shape).join(', ')}.`,
      cause,
    });
  try {
    if (statSync(file).size > 64 * 1024) throw invalid();
    return settingsSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw error instanceof CountersignError ? error : invalid(error);
  }
}

/** Settings by flags, over the environment, over the file, over what is usual. Throws config.invalid. */
export function resolveSettings(
  flags: GivenSettings & { readonly config?: string | undefined },
  environment: Environment,
): Settings {
  const { config, ...given } = flags;
  const flagged = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const merged = {
    ...defaults,
    ...fileSettings(config, environment),
    ...environmentSettings(environment),
    ...flagged,
  };
  const result = settingsSchema.safeParse(merged);
  if (!result.success) {
    const names = result.error.issues.map((issue) => issue.path.join('.')).join(', ');
    throw new CountersignError('config.invalid', { detail: `Settings that are not right: ${names}.` });
  }
  return {
    ...result.data,
    url: result.data.url ?? defaults.url,
    issuer: result.data.issuer ?? defaults.issuer,
  };
}
