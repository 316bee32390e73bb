import type { DeleteStmt, InsertStmt, MergeStmt, RangeVar, ReturningClause, UpdateStmt } from '@pgsql/types';
import { type Node, stringsOf } from '../tree/index.js';
import type { Analysis, Returned } from './analysis.js';
import { expression } from './expression.js';
import { isMasked, NONE, type Reference, union } from './flow.js';
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

const columnNode = (table: string, column: string): Node => ({
  ResTarget: { val: { ColumnRef: { fields: [{ String: { sval: table } }, { String: { sval: column } }] } } },
});

/** The columns that a star stands for, or the entry as it is. `tables` by the name that goes before the star. */
function writtenOut(node: Node, tables: readonly ScopeTable[], name: string): readonly Node[] {
  const value = 'ResTarget' in node ? node.ResTarget.val : undefined;
  if (value === undefined || !('ColumnRef' in value)) return [node];
  const fields = stringsOf(value.ColumnRef.fields);
  if (fields.at(-1) !== null) return [node];
  const qualifier = fields.at(-2) ?? '';
  const schema = fields.length === 3 ? fields[0] : null;
  const table = tables.find((one) => one.name === qualifier && (schema === null || one.schema === schema));
  return table === undefined
    ? [node]
    : table.columns.map((column) => columnNode(qualifier === '' ? name : qualifier, column.name));
}

/** One entry: a masked column of the rows that are written may stand there alone, as its mask in the database. */
function returnedEntry(
  state: Analysis,
  node: Node,
  scope: Scope,
): { readonly output: Output; readonly returned: Returned } {
  const value = 'ResTarget' in node ? node.ResTarget.val : undefined;
  state.returning =
    value !== undefined && 'ColumnRef' in value && stringsOf(value.ColumnRef.fields).at(-1) !== null;
  const output = targetList(state, [node], scope, 'output');
  const alone = state.returning;
  state.returning = false;
  const flow = union([...output.columns.map((column) => column.flow), output.extra]);
  const cells = [...flow.cells].filter(
    ({ mask, reference }) => mask.treatment !== 'open' && reference.target,
  );
  const [cell] = cells;
  if (!alone || cell === undefined) return { output, returned: { node, cell: null } };
  if (flow.cells.size > 1 || output.columns.length > 1 || output.columns[0]?.flow.bare !== true) {
    state.refuseReturned(flow);
    return { output, returned: { node, cell: null } };
  }
  // A surrogate of what the agent itself has just written would let it try values.
  if (cell.mask.treatment === 'raw') state.degraded.add(cell);
  return { output, returned: { node, cell } };
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
  const level = childScope(scope, [...scope.items, hidden]);
  if (!isMasked(target.reference)) return targetList(state, clause.exprs ?? [], level, 'output');
  // Of `*` the places are known where there is nothing but the target.
  const whole = scope.items.length === 1 ? [{ ...target.table, name: '' }] : [];
  const tables = [...whole, target.table, ...states];
  const entries = (clause.exprs ?? []).flatMap((node) => writtenOut(node, tables, target.table.name));
  const outputs = entries.map((node) => returnedEntry(state, node, level));
  state.returned.set(
    clause,
    outputs.map(({ returned }) => returned),
  );
  return {
    columns: outputs.flatMap(({ output }) => output.columns),
    complete: outputs.every(({ output }) => output.complete),
    extra: union(outputs.map(({ output }) => output.extra)),
  };
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
