import type { Risk } from '@countersign/contracts';
import { risks } from '@countersign/contracts';
import data from './function-risks.json' with { type: 'json' };

function risksIn(names: readonly string[]): Risk[] {
  return risks.filter((risk) => names.includes(risk));
}

type Table = Readonly<Record<string, readonly string[]>>;
const functions: Table = data.functions;
const patterns = Object.entries(functions)
  .filter(([name]) => name.includes('*'))
  .map(([name, found]) => ({ parts: name.split('*'), found, length: name.length }))
  // The longest pattern says most: pg_ls_* before pg_*.
  .sort((left, right) => right.length - left.length);

/** Risks of a call by the function's name, whatever its schema. */
export function functionRisks(name: string): Risk[] {
  if (Object.hasOwn(functions, name)) return risksIn(functions[name] ?? []);
  const pattern = patterns.find(
    ({ parts }) => name.startsWith(parts[0] ?? '') && name.endsWith(parts[1] ?? ''),
  );
  return risksIn(pattern?.found ?? []);
}

function lookUp(table: Table, name: string): Risk[] {
  return Object.hasOwn(table, name) ? risksIn(table[name] ?? []) : [];
}

export const relationRisks = (name: string): Risk[] => lookUp(data.relations, name);
export const settingRisks = (name: string): Risk[] => lookUp(data.settings, name.toLowerCase());
export const extensionRisks = (name: string): Risk[] => lookUp(data.extensions, name);
