import type { DeleteStmt, InsertStmt, MergeStmt, RangeVar, ReturningClause, UpdateStmt } from '@pgsql/types';
import type { Node } from '../tree/index.js';
import type { Analysis } from './analysis.js';
import { expression } from './expression.js';
import { NONE, type Reference } from './flow.js';
import { columnsOf, fromClause, vetRelation } from './from.js';
import { findRelation } from './names.js';
import { childScope, type Item, itemOf, type Output, type Scope, type ScopeTable } from './scope.js';
import { targetList } from './select.js';
import { withClause } from './with.js';
import { vetWrite } from './write-effects.js';

const NOTHING: Output = { columns: [], complete: true, extra: NONE };

interface TargetTable {
  readonly reference: Reference;
  readonly table: ScopeTable;
  readonly item: Item;
}

function targetTable(state: Analysis, node: RangeVar | undefined): TargetTable | null {
  if (node === undefined) return null;
  state.visited.add(node);
  const relation = findRelation(state.context.catalogue, node);
  if (relation === null) {
    state.unknown.add(node);
    state.refuse(
      'a relation that the catalogue does not have',
      'Look the tables up in information_schema.tables.',
    );
    return null;
  }
  const reference = state.refer(node, relation, true);
  vetRelation(state, reference);
  state.patches.set(node, { schemaname: relation.schema });
  const name = node.alias?.aliasname ?? relation.name;
  const table: ScopeTable = {
    name,
    schema: node.alias === undefined ? relation.schema : null,
    reference,
    columns: columnsOf(reference, name),
    complete: true,
    extra: NONE,
  };
  return { reference, table, item: itemOf(table) };
}

/** RETURNING, in which OLD and NEW are the row before and after. */
function returning(
  state: Analysis,
  clause: ReturningClause | undefined,
  scope: Scope,
  target: TargetTable,
): Output {
  if (clause === undefined) return NOTHING;
  const names = (clause.options ?? []).flatMap((option) =>
    'ReturningOption' in option ? [option.ReturningOption.value ?? ''] : [],
  );
  const states = ['old', 'new', ...names].map((name) => ({ ...target.table, name, schema: null }));
  const hidden: Item = { ...NOTHING, tables: states };
  return targetList(state, clause.exprs ?? [], childScope(scope, [...scope.items, hidden]), 'output');
}

/** Assignments of SET; returns the columns that are written. */
function assignments(state: Analysis, nodes: readonly Node[] | undefined, scope: Scope): string[] {
  return (nodes ?? []).flatMap((node) => {
    if (!('ResTarget' in node)) return [];
    for (const part of node.ResTarget.indirection ?? []) expression(state, part, scope, 'other');
    expression(state, node.ResTarget.val, scope, 'other');
    return [node.ResTarget.name ?? ''];
  });
}

function insert(state: Analysis, node: InsertStmt, outer: Scope): Output {
  const scope = withClause(state, node.withClause, outer);
  const target = targetTable(state, node.relation);
  if (node.selectStmt !== undefined) {
    const source = state.evaluate(node.selectStmt, childScope(scope), 'other');
    for (const { flow } of source.columns) state.touch(flow, 'other');
  }
  if (target === null) return NOTHING;
  const { relation } = target.reference;
  const named = assignments(state, node.cols, childScope(scope));
  const all = node.cols === undefined && node.selectStmt !== undefined;
  const written = all ? relation.columns.map(({ name }) => name) : named;
  vetWrite(state, target.reference, 'insert', written);
  const level = childScope(scope, [target.item]);
  const conflict = node.onConflictClause;
  if (conflict !== undefined) {
    for (const element of conflict.infer?.indexElems ?? []) {
      if (!('IndexElem' in element)) continue;
      const { name, expr } = element.IndexElem;
      const column: Node | undefined =
        name === undefined ? expr : { ColumnRef: { fields: [{ String: { sval: name } }] } };
      expression(state, column, level, 'predicate');
    }
    expression(state, conflict.infer?.whereClause, level, 'predicate');
    // What was proposed is the agent's own.
    const columns = target.table.columns.map((column) => ({ ...column, flow: NONE, base: null }));
    const excluded = { ...target.table, name: 'excluded', schema: null, reference: null, columns };
    const both = childScope(scope, [target.item, { ...NOTHING, tables: [excluded] }]);
    const updated = assignments(state, conflict.targetList, both);
    expression(state, conflict.whereClause, both, 'predicate');
    if (conflict.action === 'ONCONFLICT_UPDATE') vetWrite(state, target.reference, 'update', updated);
  }
  return returning(state, node.returningClause, level, target);
}

function update(state: Analysis, node: UpdateStmt, outer: Scope): Output {
  const scope = withClause(state, node.withClause, outer);
  const target = targetTable(state, node.relation);
  if (target === null) return NOTHING;
  const items = fromClause(state, node.fromClause, childScope(scope, [target.item]));
  const level = childScope(scope, [target.item, ...items]);
  const written = assignments(state, node.targetList, level);
  expression(state, node.whereClause, level, 'predicate');
  vetWrite(state, target.reference, 'update', written);
  return returning(state, node.returningClause, level, target);
}

function remove(state: Analysis, node: DeleteStmt, outer: Scope): Output {
  const scope = withClause(state, node.withClause, outer);
  const target = targetTable(state, node.relation);
  if (target === null) return NOTHING;
  const items = fromClause(state, node.usingClause, childScope(scope, [target.item]));
  const level = childScope(scope, [target.item, ...items]);
  expression(state, node.whereClause, level, 'predicate');
  vetWrite(state, target.reference, 'delete', []);
  return returning(state, node.returningClause, level, target);
}

function merge(state: Analysis, node: MergeStmt, outer: Scope): Output {
  const scope = withClause(state, node.withClause, outer);
  const target = targetTable(state, node.relation);
  if (target === null) return NOTHING;
  const sources = node.sourceRelation === undefined ? [] : [node.sourceRelation];
  const items = fromClause(state, sources, childScope(scope));
  const level = childScope(scope, [target.item, ...items]);
  expression(state, node.joinCondition, level, 'predicate');
  for (const entry of node.mergeWhenClauses ?? []) {
    if (!('MergeWhenClause' in entry)) continue;
    const { condition, commandType, targetList: targets, values } = entry.MergeWhenClause;
    expression(state, condition, level, 'predicate');
    const written = assignments(state, targets, level);
    for (const value of values ?? []) expression(state, value, level, 'other');
    const all = target.reference.relation.columns.map(({ name }) => name);
    if (commandType === 'CMD_INSERT')
      vetWrite(
        state,
        target.reference,
        'insert',
        targets === undefined && values !== undefined ? all : written,
      );
    if (commandType === 'CMD_UPDATE') vetWrite(state, target.reference, 'update', written);
    if (commandType === 'CMD_DELETE') vetWrite(state, target.reference, 'delete', []);
  }
  return returning(state, node.returningClause, level, target);
}

/** What a data-modifying statement returns; null where the node is none. */
export function write(state: Analysis, node: Node, scope: Scope): Output | null {
  state.writing += 1;
  try {
    if ('InsertStmt' in node) return insert(state, node.InsertStmt, scope);
    if ('UpdateStmt' in node) return update(state, node.UpdateStmt, scope);
    if ('DeleteStmt' in node) return remove(state, node.DeleteStmt, scope);
    if ('MergeStmt' in node) return merge(state, node.MergeStmt, scope);
    return null;
  } finally {
    state.writing -= 1;
  }
}
