import type { ResTarget, SelectStmt } from '@pgsql/types';
import { itemsOf, type Node, objectsOf, stringsOf } from '../tree/index.js';
import type { Analysis, Use } from './analysis.js';
import { findTable } from './columns.js';
import { expression, flowsOf, windowDefinition } from './expression.js';
import { isMasked, NONE, type Reference } from './flow.js';
import { blurred, fromClause } from './from.js';
import { distinctClause, groupClause, type Target, targetOf } from './grouping.js';
import { childScope, type Output, type Scope, type ScopeColumn } from './scope.js';
import { targetName } from './target-name.js';
import { merged, withClause } from './with.js';

/** Columns that a `*` or `table.*` in a select list stands for; null where the node is no star. */
function starOf(state: Analysis, target: ResTarget, scope: Scope): Output | null {
  const node = target.val;
  if (node === undefined || !('ColumnRef' in node)) return null;
  const fields = stringsOf(node.ColumnRef.fields);
  if (fields.at(-1) !== null) return null;
  if (fields.length === 1) {
    return {
      columns: scope.items.flatMap(({ columns }) => columns),
      complete: scope.items.every(({ complete }) => complete),
      extra: state.computed(scope.items.map(({ extra }) => extra)),
    };
  }
  const found = findTable(scope, fields.at(-2) ?? '', fields.length === 3 ? (fields[0] ?? '') : null);
  if (found === null) {
    state.refuse('a star of a table that is not in FROM');
    return { columns: [], complete: false, extra: NONE };
  }
  const { reference } = found.table;
  if (fields.length === 3 && reference !== null && isMasked(reference))
    state.patches.set(node.ColumnRef, { fields: (node.ColumnRef.fields ?? []).slice(1) });
  return found.table;
}

/** What a select list or a RETURNING list gives. */
export function targetList(state: Analysis, nodes: readonly Node[], scope: Scope, use: Use): Output {
  const columns: ScopeColumn[] = [];
  let complete = true;
  let extra = NONE;
  for (const node of nodes) {
    if (!('ResTarget' in node)) {
      state.refuse('an entry of the select list');
      continue;
    }
    const target = node.ResTarget;
    const star = starOf(state, target, scope);
    if (star === null) {
      const { val } = target;
      const name = target.name ?? targetName(val);
      if (
        val !== undefined &&
        'A_Indirection' in val &&
        stringsOf(val.A_Indirection.indirection).at(-1) === null
      ) {
        const isStar = val.A_Indirection.indirection?.at(-1);
        // (row).*: as many columns as the type has.
        if (isStar !== undefined && 'A_Star' in isStar) complete = false;
      }
      const flow = expression(state, val, scope, use);
      if (!complete) extra = state.computed([extra, flow]);
      columns.push({ name, flow, base: null, hazard: null });
      continue;
    }
    for (const column of star.columns) {
      if (column.hazard !== null) state.refuse(column.hazard);
      const { base } = column;
      if (base !== null && scope.named !== null) {
        const named = scope.named.get(base.reference) ?? new Map<string, string>();
        named.set(column.name, base.table);
        scope.named.set(base.reference, named);
      }
      columns.push({ ...column, flow: state.touch(column.flow, use), base: null });
    }
    if (!star.complete) {
      complete = false;
      extra = state.computed([extra, state.touch(star.extra, use === 'output' ? 'other' : use)]);
    }
  }
  return complete ? { columns, complete, extra } : blurred(state, { columns, complete, extra });
}

function values(state: Analysis, select: SelectStmt, scope: Scope): Output {
  const rows = (select.valuesLists ?? []).map((row) =>
    itemsOf(row).map((value) => expression(state, value, scope, 'other')),
  );
  const width = Math.max(0, ...rows.map((row) => row.length));
  const columns = Array.from({ length: width }, (_, index) => ({
    name: `column${index + 1}`,
    flow: state.computed(rows.map((row) => row[index] ?? NONE)),
    base: null,
    hazard: null,
  }));
  return { columns, complete: true, extra: NONE };
}

function setOperation(state: Analysis, select: SelectStmt, scope: Scope, use: Use): Output {
  const [left, right] = [select.larg, select.rarg].map((arm) =>
    arm === undefined ? undefined : state.evaluate({ SelectStmt: arm }, { ...scope, named: null }, use),
  );
  const columns = (left?.columns ?? []).map((column, index): ScopeColumn => {
    const flow = merged(state, column.flow, right?.columns[index]?.flow ?? right?.extra ?? NONE);
    if (select.all !== true || select.op !== 'SETOP_UNION') state.check(flow, 'a set operation', true);
    return { ...column, flow, base: null };
  });
  if (left?.complete === true && right?.complete === true) return { columns, complete: true, extra: NONE };
  // Where a column stands in one arm is not known, so neither is what it meets in the other.
  const extra = state.computed([left, right].flatMap((arm) => (arm === undefined ? [] : flowsOf(arm))));
  return blurred(state, { columns, complete: false, extra });
}

function limits(state: Analysis, select: SelectStmt, scope: Scope): void {
  state.check(expression(state, select.limitCount, scope, 'predicate'), 'LIMIT');
  state.check(expression(state, select.limitOffset, scope, 'predicate'), 'OFFSET');
}

function orderClause(
  state: Analysis,
  select: SelectStmt,
  scope: Scope,
  targets: readonly Target[],
  alone: boolean,
) {
  for (const node of select.sortClause ?? []) {
    if (!('SortBy' in node)) continue;
    if (node.SortBy.useOp !== undefined) state.refuse('ORDER BY … USING');
    const target = targetOf(node.SortBy.node, targets, true);
    if (target !== null) state.check(state.touch(target.flow, 'predicate'), 'ORDER BY');
    else if (alone) state.check(expression(state, node.SortBy.node, scope, 'predicate'), 'ORDER BY');
    else state.refuse('ORDER BY an expression after a set operation');
  }
}

function locking(state: Analysis, select: SelectStmt, before: ReadonlySet<Reference>): void {
  if ((select.lockingClause ?? []).length === 0) return;
  // FOR UPDATE OF names items of FROM, no relations of their own.
  for (const { fields } of objectsOf(select.lockingClause)) state.visited.add(fields);
  const locked = [...state.references.values()].filter((reference) => !before.has(reference));
  if (locked.some((reference) => isMasked(reference) || reference.cells.size > 0))
    state.refuse(
      'row locks on a table with masked columns',
      'Read the rows without FOR UPDATE or FOR SHARE.',
    );
}

/** What a query gives, and all that shapes it. */
export function select(state: Analysis, node: SelectStmt, outer: Scope, use: Use): Output {
  if (node.intoClause !== undefined)
    state.refuse('SELECT INTO, which creates a table', 'Select without INTO.');
  const before = new Set(state.references.values());
  const scope = withClause(state, node.withClause, outer);
  if (node.op !== undefined && node.op !== 'SETOP_NONE') {
    const output = setOperation(state, node, scope, use);
    const targets = output.columns.map(({ name, flow }) => ({ name, flow, node: undefined }));
    orderClause(state, node, scope, targets, false);
    limits(state, node, scope);
    locking(state, node, before);
    return output;
  }
  if (node.valuesLists !== undefined) {
    const output = values(state, node, scope);
    orderClause(
      state,
      node,
      scope,
      output.columns.map((column) => ({ ...column, node: undefined })),
      false,
    );
    limits(state, node, scope);
    return output;
  }
  const items = fromClause(state, node.fromClause, childScope(scope));
  const level = childScope(scope, items);
  state.check(expression(state, node.whereClause, level, 'predicate'), 'WHERE');
  const body: Scope = { ...level, named: new Map() };
  const output = targetList(state, node.targetList ?? [], body, use);
  const targets = targetsOf(node, output);
  state.check(expression(state, node.havingClause, body, 'predicate'), 'HAVING');
  for (const window of node.windowClause ?? [])
    if ('WindowDef' in window) windowDefinition(state, window.WindowDef, body);
  orderClause(state, node, body, targets, true);
  groupClause(state, node, body, targets);
  distinctClause(state, node, body, targets, output);
  limits(state, node, scope);
  locking(state, node, before);
  return output;
}

/** Select list entries with their nodes; positions are unknown where a star stands before them. */
function targetsOf(node: SelectStmt, output: Output): Target[] {
  const nodes = (node.targetList ?? []).map((entry) =>
    'ResTarget' in entry ? entry.ResTarget.val : undefined,
  );
  const starless = nodes.length === output.columns.length;
  return output.columns.map(({ name, flow }, index) => ({
    name,
    flow,
    node: starless ? nodes[index] : undefined,
  }));
}
