import { parseArgs } from 'node:util';
import { CountersignError } from '@countersign/errors';
import { parse } from 'yaml';
import type { z } from 'zod';
import { merge, settingsOf, variableOfPath } from './environment.js';
import { helpText } from './help.js';
import { readConfiguredFile, Secret } from './secret.store.js';
import { shapeOf, unknownKeys } from './shape.js';

export interface ConfigurationSource {
  readonly service: string;
  /** Arguments after the script's name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What the command line asks for. */
export interface CommandLine {
  readonly file: string | undefined;
  readonly help: boolean;
  readonly print: boolean;
}

const invalid = (detail: string, cause?: unknown) =>
  new CountersignError('config.invalid', { detail, cause });

/** Throws config.invalid for an argument that is not known. */
export function readCommandLine(argv: readonly string[]): CommandLine {
  try {
    const { values } = parseArgs({
      args: [...argv],
      strict: true,
      allowPositionals: false,
      options: {
        config: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        'print-config': { type: 'boolean' },
      },
    });
    return { file: values.config, help: values.help ?? false, print: values['print-config'] ?? false };
  } catch (error) {
    throw invalid('Known arguments are --config <file>, --print-config and --help.', error);
  }
}

function readSettings(file: string | undefined): unknown {
  if (file === undefined) return {};
  const text = readConfiguredFile(file);
  try {
    return (parse(text, { maxAliasCount: 100, prettyErrors: false }) as unknown) ?? {};
  } catch (error) {
    // The parser's message would quote the line, which may hold anything.
    throw invalid(`The file ${file} is neither YAML nor JSON.`, error);
  }
}

const named = (path: readonly PropertyKey[]) => path.map(String).join('.') || '(the whole)';

/** Misspelt keys are found by `unknownKeys`, in open schemas too. */
function problemsOf(error: z.ZodError): string[] {
  return error.issues
    .filter((issue) => issue.code !== 'unrecognized_keys')
    .map((issue) => {
      const path = issue.path.map(String);
      return `${named(path)} (${variableOfPath(path)}): ${issue.message}`;
    });
}

function unreadableSecrets(value: unknown, path: readonly string[]): string[] {
  if (value instanceof Secret) {
    try {
      value.reveal();
      return [];
    } catch (error) {
      return [
        `${named(path)}: ${error instanceof CountersignError ? (error.detail ?? error.message) : 'cannot be read'}`,
      ];
    }
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => unreadableSecrets(child, [...path, key]));
}

/**
 * The configuration of a service: the file that --config names, over it the environment.
 * Throws config.invalid naming every wrong key and what is expected; values are never repeated.
 */
export function loadConfiguration<Schema extends z.ZodType>(
  schema: Schema,
  source: ConfigurationSource,
): z.output<Schema> {
  const shape = shapeOf(schema);
  const file = readSettings(readCommandLine(source.argv).file);
  const environment = settingsOf(shape, source.env);
  const settings = merge(file, environment.values);
  const early = [
    ...unknownKeys(shape, file).map((path) => `${named(path)}: no such key`),
    ...environment.unknown.map((name) => `${name}: no such key`),
  ];
  const result = schema.safeParse(settings);
  const reported = new Set(early.map((problem) => problem.split(/[ :]/, 1)[0]));
  const problems = [
    ...early,
    ...(result.success
      ? unreadableSecrets(result.data, [])
      : problemsOf(result.error).filter((problem) => !reported.has(problem.split(/[ :]/, 1)[0]))),
  ];
  if (problems.length > 0 || !result.success) {
    throw new CountersignError('config.invalid', {
      detail: `Settings of ${source.service}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
      next: 'Correct these settings; --help lists every key.',
    });
  }
  return result.data;
}

/** What --help prints for a schema. */
export function configurationHelp(service: string, schema: z.ZodType): string {
  return helpText(service, shapeOf(schema));
}
