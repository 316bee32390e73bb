import type { ColumnRef } from '@pgsql/types';
import { stringsOf } from '../tree/index.js';
import type { Analysis, Use } from './analysis.js';
import { type Flow, isMasked, NONE, union } from './flow.js';
import type { Scope, ScopeColumn, ScopeTable } from './scope.js';

/** Columns that every table has (PostgreSQL 18, section 5.6), beside those that it declares. */
const SYSTEM_COLUMNS = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']);

function levelsOf(scope: Scope | null): Scope[] {
  const levels: Scope[] = [];
  for (let level = scope; level !== null; level = level.parent) levels.push(level);
  return levels;
}

/** The value of a column that was found, at the level where it was found. */
function nameColumn(state: Analysis, level: Scope, column: ScopeColumn, use: Use): Flow {
  if (column.hazard !== null) state.refuse(column.hazard);
  const { base } = column;
  if (base !== null && level.named !== null) {
    const columns = level.named.get(base.reference) ?? new Map<string, string>();
    columns.set(column.name, base.table);
    level.named.set(base.reference, columns);
  }
  return state.touch(column.flow, use);
}

/** A whole row as one value: everything in it is computed with. */
export function wholeRow(state: Analysis, table: ScopeTable, use: Use): Flow {
  for (const { hazard } of table.columns) if (hazard !== null) state.refuse(hazard);
  const flows = [...table.columns.map(({ flow }) => flow), table.extra].map((flow) =>
    state.touch(flow, use === 'output' ? 'other' : use),
  );
  return state.computed(flows);
}

function systemColumn(state: Analysis, table: ScopeTable): Flow {
  if (table.reference !== null && (isMasked(table.reference) || table.reference.cells.size > 0)) {
    const { schema, name } = table.reference.relation;
    state.refuse(
      `system columns of ${schema}.${name}, which tell where and when rows of hidden values were written`,
      'Use the key of the table.',
    );
  }
  return NONE;
}

/** The table that a qualifier names, innermost first. */
export function findTable(
  scope: Scope,
  name: string,
  schema: string | null,
): { table: ScopeTable; level: Scope } | null {
  for (const level of levelsOf(scope))
    for (const item of level.items)
      for (const table of item.tables)
        if (table.name === name && (schema === null || table.schema === schema)) return { table, level };
  return null;
}

function qualified(
  state: Analysis,
  scope: Scope,
  found: { table: ScopeTable; level: Scope },
  name: string,
  use: Use,
) {
  const { table, level } = found;
  const columns = table.columns.filter((column) => column.name === name);
  if (columns.length > 0)
    return bareOrUnion(
      state,
      columns.map((column) => nameColumn(state, level, column, use)),
    );
  if (!table.complete) return state.computed([state.touch(table.extra, use === 'output' ? 'other' : use)]);
  if (SYSTEM_COLUMNS.has(name) && (table.reference !== null || scope === level))
    return systemColumn(state, table);
  state.refuse(
    'a column that the catalogue does not have',
    'Look the columns up in information_schema.columns.',
  );
  return NONE;
}

function bareOrUnion(state: Analysis, flows: readonly Flow[]): Flow {
  const [only] = flows;
  return only !== undefined && flows.length === 1 ? only : state.computed(flows);
}

function unqualified(state: Analysis, scope: Scope, name: string, use: Use): Flow {
  const possible: Flow[] = [];
  const inner: Use = use === 'output' ? 'other' : use;
  for (const level of levelsOf(scope)) {
    const columns = level.items.flatMap((item) => item.columns.filter((column) => column.name === name));
    if (columns.length > 0) {
      const flows = columns.map((column) =>
        nameColumn(state, level, column, possible.length > 0 ? inner : use),
      );
      return possible.length > 0 ? state.computed([...possible, ...flows]) : bareOrUnion(state, flows);
    }
    // A table of unknown columns may have one of this name; then what outer levels have is hidden, or it is not.
    for (const item of level.items) if (!item.complete) possible.push(state.touch(item.extra, inner));
  }
  const table = findTable(scope, name, null);
  if (table !== null) return state.computed([...possible, wholeRow(state, table.table, use)]);
  if (possible.length > 0) return state.computed(possible);
  if (SYSTEM_COLUMNS.has(name)) {
    const tables = levelsOf(scope).flatMap(({ items }) => items.flatMap((item) => item.tables));
    if (tables.length > 0) return union(tables.map((candidate) => systemColumn(state, candidate)));
  }
  if (state.options.argumentNames.has(name)) return NONE;
  state.refuse(
    'a column that the catalogue does not have',
    'Look the columns up in information_schema.columns.',
  );
  return NONE;
}

/** What a column reference depends on: `column`, `table`, `table.column`, `schema.table.column`, or a row of them. */
export function columnReference(state: Analysis, node: ColumnRef, scope: Scope, use: Use): Flow {
  const fields = stringsOf(node.fields);
  const [first, second, third] = fields;
  const star = fields.at(-1) === null;
  if (first === undefined || first === null) {
    state.refuse('a star where a value belongs');
    return NONE;
  }
  if (fields.length === 1) return unqualified(state, scope, first, use);
  if (fields.length === 2) {
    const found = findTable(scope, first, null);
    if (found !== null)
      return star ? wholeRow(state, found.table, use) : qualified(state, scope, found, second ?? '', use);
    if (state.options.argumentNames.size > 0) {
      state.refuse('a name that may be a field of an argument');
      return NONE;
    }
  }
  if (fields.length === 3) {
    const found = findTable(scope, second ?? '', first);
    if (found !== null) {
      // A masked subquery has no schema, so the schema goes.
      if (found.table.reference !== null && isMasked(found.table.reference))
        state.patches.set(node, { fields: (node.fields ?? []).slice(1) });
      return star ? wholeRow(state, found.table, use) : qualified(state, scope, found, third ?? '', use);
    }
  }
  state.refuse(
    'a column that the catalogue does not have',
    'Look the columns up in information_schema.columns.',
  );
  return NONE;
}
