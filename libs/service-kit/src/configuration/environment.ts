import { parse } from 'yaml';
import { EnvironmentText } from './secret.store.js';
import { allows, below, branchesOf, type Shape } from './shape.js';

export const environmentPrefix = 'COUNTERSIGN_';

/** What Kubernetes sets in every container for a service named countersign-…; no setting of ours. */
const serviceLink = /_(SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_[A-Z]+)?)?)$/;

export interface EnvironmentSettings {
  readonly values: Readonly<Record<string, unknown>>;
  /** Names of variables that set nothing. */
  readonly unknown: readonly string[];
}

const camelCase = (segment: string) =>
  segment.toLowerCase().replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** The path that a variable's name means: COUNTERSIGN_HTTP__BODY_LIMIT_BYTES is http.bodyLimitBytes. */
export function pathOfVariable(name: string): string[] {
  return name.slice(environmentPrefix.length).split('__').map(camelCase);
}

/** The variable's name for a path. */
export function variableOfPath(path: readonly string[]): string {
  return (
    environmentPrefix +
    path.map((key) => key.replaceAll(/([A-Z])/g, (letter) => `_${letter}`).toUpperCase()).join('__')
  );
}

function readAs(shape: Shape, text: string): unknown {
  if (branchesOf(shape).some((branch) => branch.secret === true)) return new EnvironmentText(text);
  if (allows(shape, 'string') || branchesOf(shape).some((branch) => branch.enum !== undefined)) return text;
  try {
    return parse(text, { maxAliasCount: 0 }) as unknown;
  } catch {
    return text;
  }
}

function assign(into: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  if (rest.length === 0) {
    into[key] = value;
    return;
  }
  const child = into[key];
  const next = typeof child === 'object' && child !== null ? (child as Record<string, unknown>) : {};
  into[key] = next;
  assign(next, rest, value);
}

/** The settings in COUNTERSIGN_… variables, as their shape wants them. Those of the command line tool are left alone. */
export function settingsOf(
  shape: Shape,
  environment: Readonly<Record<string, string | undefined>>,
): EnvironmentSettings {
  const values: Record<string, unknown> = {};
  const unknown: string[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(environmentPrefix) || name.startsWith('COUNTERSIGN_CLI_') || text === undefined)
      continue;
    const path = pathOfVariable(name);
    let at: Shape | undefined = shape;
    for (const key of path) at = at === undefined ? undefined : below(at, key);
    if (at === undefined) {
      if (name.includes('__') || !serviceLink.test(name)) unknown.push(name);
      continue;
    }
    assign(values, path, readAs(at, text));
  }
  return { values, unknown };
}

/** Settings of the second over those of the first; arrays are replaced whole. */
export function merge(first: unknown, second: unknown): unknown {
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  if (!isObject(second)) return second;
  if (Array.isArray(first) && Object.keys(second).every((key) => /^\d+$/.test(key))) {
    const list: unknown[] = [...first];
    for (const [index, value] of Object.entries(second))
      list[Number(index)] = merge(list[Number(index)], value);
    return list;
  }
  const result: Record<string, unknown> = isObject(first) ? { ...first } : {};
  for (const [key, value] of Object.entries(second)) result[key] = merge(result[key], value);
  return result;
}
