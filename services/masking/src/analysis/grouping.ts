import type { SelectStmt } from '@pgsql/types';
import { type Node, namesOf } from '../tree/index.js';
import type { Analysis } from './analysis.js';
import { columnReference, findTable } from './columns.js';
import { expression } from './expression.js';
import { type Flow, isMasked, type Reference } from './flow.js';
import type { Output, Scope, ScopeColumn } from './scope.js';

/** An entry of a select list. */
export interface Target {
  readonly name: string;
  readonly flow: Flow;
  readonly node: Node | undefined;
}

/** The entry that an item of ORDER BY, GROUP BY or DISTINCT ON means by position or name; null for an expression. */
export function targetOf(node: Node | undefined, targets: readonly Target[], names: boolean): Target | null {
  if (node === undefined) return null;
  if ('A_Const' in node && node.A_Const.ival !== undefined)
    return targets[(node.A_Const.ival.ival ?? 0) - 1] ?? null;
  if (!names || !('ColumnRef' in node)) return null;
  const fields = namesOf(node.ColumnRef.fields);
  if (fields?.length !== 1) return null;
  const found = targets.filter(({ name }) => name === fields[0]);
  return found[0] ?? null;
}

/** The column of a relation in FROM that an expression is, if it is one. */
function baseColumn(node: Node | undefined, scope: Scope): ScopeColumn | null {
  if (node === undefined || !('ColumnRef' in node)) return null;
  const fields = namesOf(node.ColumnRef.fields);
  const name = fields?.at(-1);
  if (fields === null || name === undefined) return null;
  const columns =
    fields.length === 1
      ? scope.items.flatMap((item) => item.columns)
      : fields.length === 2
        ? (findTable({ ...scope, parent: null }, fields[0] ?? '', null)?.table.columns ?? [])
        : [];
  const found = columns.filter((column) => column.name === name);
  return found.length === 1 ? (found[0] ?? null) : null;
}

/** References of which all columns of the primary key are among these: all else in their rows depends on these. */
function keyed(columns: readonly (ScopeColumn | null)[]): Set<Reference> {
  const found = new Map<Reference, Set<string>>();
  for (const column of columns) {
    if (column === null || column.base === null) continue;
    const { reference, column: name } = column.base;
    found.set(reference, (found.get(reference) ?? new Set<string>()).add(name));
  }
  const references = [...found].filter(([reference, names]) => {
    const key = reference.relation.primaryKey;
    return key?.every((name) => names.has(name));
  });
  return new Set(references.map(([reference]) => reference));
}

function isInput(node: Node | undefined, scope: Scope): boolean {
  return baseColumn(node, scope) !== null;
}

/** GROUP BY: only equality of the items decides; a column beside the key of its table decides nothing. */
export function groupClause(
  state: Analysis,
  select: SelectStmt,
  scope: Scope,
  targets: readonly Target[],
): void {
  const items = select.groupClause ?? [];
  const flat = items.flatMap((node) => flatten(node));
  const resolved = flat.map((node) => {
    // In GROUP BY a column of FROM comes before a name of the select list (SQL-92 before PostgreSQL's own rule).
    const target = targetOf(node, targets, !isInput(node, scope));
    return { node: target?.node ?? node, target };
  });
  const bases = resolved.map(({ node }) => baseColumn(node, scope));
  const simple = flat.length === items.length && items.every((node) => !('GroupingSet' in node));
  const keys = simple ? keyed(bases) : new Set<Reference>();
  resolved.forEach(({ node, target }, index) => {
    const base = bases[index]?.base ?? null;
    const flow =
      target !== null
        ? state.touch(target.flow, 'predicate')
        : 'ColumnRef' in node
          ? columnReference(state, node.ColumnRef, scope, 'predicate')
          : expression(state, node, scope, 'predicate');
    if (base !== null && keys.has(base.reference)) return;
    state.check(flow, 'GROUP BY', true);
  });
  widen(state, select, scope, keys);
}

/**
 * A masked table is a subquery, of which PostgreSQL knows no key. What depends on the key is therefore added to
 * GROUP BY by name.
 */
function widen(state: Analysis, select: SelectStmt, scope: Scope, keys: ReadonlySet<Reference>): void {
  const added = [...keys]
    .filter((reference) => isMasked(reference))
    .flatMap((reference) =>
      [...(scope.named?.get(reference) ?? [])].map(([column, table]) => [table, column] as const),
    );
  if (added.length > 0) state.grouped.set(select, added);
}

function flatten(node: Node): Node[] {
  if ('GroupingSet' in node) return (node.GroupingSet.content ?? []).flatMap(flatten);
  if ('RowExpr' in node) return (node.RowExpr.args ?? []).flatMap(flatten);
  return [node];
}

/** DISTINCT and DISTINCT ON: equality decides, unless the key of the table is among the columns. */
export function distinctClause(
  state: Analysis,
  select: SelectStmt,
  scope: Scope,
  targets: readonly Target[],
  output: Output,
): void {
  const nodes = select.distinctClause ?? [];
  if (nodes.length === 0) return;
  const expressions = nodes.filter((node) => Object.keys(node).length > 0);
  if (expressions.length > 0) {
    for (const node of expressions) {
      const target = targetOf(node, targets, true);
      const flow = target !== null ? target.flow : expression(state, node, scope, 'predicate');
      state.check(state.touch(flow, 'predicate'), 'DISTINCT ON', true);
    }
    return;
  }
  const bases = targets.map(({ node }) => baseColumn(node, scope));
  const keys = keyed(bases);
  output.columns.forEach(({ flow }, index) => {
    const base = bases[index]?.base ?? null;
    if (base === null || !keys.has(base.reference)) state.check(flow, 'DISTINCT', true);
  });
}
