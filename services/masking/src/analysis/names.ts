import type { FuncCall, RangeVar } from '@pgsql/types';
import { type Catalogue, type Relation, relationKey } from '../catalogue/index.js';
import { namesOf } from '../tree/index.js';
import type { TargetContext } from './context.js';
import functions from './functions.json' with { type: 'json' };
import systemRelations from './system-relations.json' with { type: 'json' };

const VETTED = new Set([
  ...functions.immutableAndStable,
  ...functions.aggregates,
  ...functions.windows,
  ...functions.volatile,
]);
const SYSTEM_SCHEMAS = new Set(['pg_catalog', 'information_schema']);
const SYSTEM_RELATIONS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  pg_catalog: systemRelations.pg_catalog,
  information_schema: systemRelations.information_schema,
};

/** Finds the relation of a name as PostgreSQL would with the pinned search_path; null where there is none. */
export function findRelation(catalogue: Catalogue, node: RangeVar): Relation | null {
  if (node.catalogname !== undefined) return null;
  const schemas = node.schemaname === undefined ? catalogue.searchPath : [node.schemaname];
  for (const schema of schemas) {
    const key = relationKey(schema, node.relname ?? '');
    if (Object.hasOwn(catalogue.relations, key)) return catalogue.relations[key] ?? null;
  }
  return null;
}

export function isSystem(relation: Relation): boolean {
  return SYSTEM_SCHEMAS.has(relation.schema);
}

/** Columns of a system relation that may not be read; null where none may be. */
export function forbiddenColumns(relation: Relation): readonly string[] | null {
  if (!isSystem(relation)) return [];
  const listed = SYSTEM_RELATIONS[relation.schema];
  return listed !== undefined && Object.hasOwn(listed, relation.name)
    ? (listed[relation.name] ?? null)
    : null;
}

export type FunctionFinding =
  | { readonly kind: 'safe' }
  | { readonly kind: 'routine'; readonly keys: readonly string[]; readonly clean: boolean }
  /** Exists in pg_catalog and is not vetted. */
  | { readonly kind: 'unsafe'; readonly name: string }
  | { readonly kind: 'unknown' };

/** What a function name may mean. An overload of the schemas' own counts as much as the built-in. */
export function findFunction(context: TargetContext, call: Pick<FuncCall, 'funcname'>): FunctionFinding {
  const names = namesOf(call.funcname);
  const name = names?.at(-1);
  if (names === null || name === undefined || names.length > 2) return { kind: 'unknown' };
  const { catalogue } = context;
  const schemas = names.length === 2 ? [names[0] ?? ''] : catalogue.searchPath;
  const keys = schemas
    .map((schema) => relationKey(schema, name))
    .filter((key) => Object.hasOwn(catalogue.routines, key));
  const builtin = schemas.includes('pg_catalog') && catalogue.builtins.includes(name);
  if (keys.length > 0) {
    const clean =
      keys.every((key) => context.routines[key]?.clean === true) && (!builtin || VETTED.has(name));
    return { kind: 'routine', keys, clean };
  }
  // A few names that the grammar itself writes (extract, overlay …) are no separate entry of older catalogues.
  if (schemas.includes('pg_catalog') && VETTED.has(name)) return { kind: 'safe' };
  return builtin ? { kind: 'unsafe', name: relationKey('pg_catalog', name) } : { kind: 'unknown' };
}

/** Whether an operator name can only mean one of PostgreSQL's own. */
export function isOwnOperator(catalogue: Catalogue, names: readonly string[] | null): boolean {
  const name = names?.at(-1);
  if (names === null || name === undefined) return false;
  if (names.length === 2) return names[0] === 'pg_catalog';
  return names.length === 1 && !catalogue.operators.includes(name);
}
