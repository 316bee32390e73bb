import type { JoinExpr, RangeFunction, RangeSubselect, RangeVar } from '@pgsql/types';
import { relationKey } from '../catalogue/index.js';
import { bodyOf, childrenOf, itemsOf, type Node, namesOf, tagOf } from '../tree/index.js';
import type { Analysis } from './analysis.js';
import { equality, expression, flowsOf } from './expression.js';
import { type Flow, isMasked, NONE, ofCell, type Reference, surrogateLabel } from './flow.js';
import { findRelation, forbiddenColumns } from './names.js';
import {
  childScope,
  findCte,
  type Item,
  itemOf,
  type Output,
  renamed,
  type Scope,
  type ScopeColumn,
  type ScopeTable,
} from './scope.js';

interface AliasLike {
  readonly aliasname?: string;
  readonly colnames?: Node[];
}

/** Columns of which some are not known: any of them may be any other, so each depends on all. */
export function blurred(state: Analysis, output: Output): Output {
  const flow = state.computed(flowsOf(output));
  return {
    columns: output.columns.map((column) => ({ ...column, flow, base: null })),
    complete: false,
    extra: flow,
  };
}

function table(state: Analysis, output: Output, alias: AliasLike | undefined, fallback: string): ScopeTable {
  const names = namesOf(alias?.colnames) ?? [];
  const known = output.complete || names.length === 0 ? output : blurred(state, output);
  return { ...renamed(known, names), name: alias?.aliasname ?? fallback, schema: null, reference: null };
}

/** The columns of a reference as expressions may name them. */
export function columnsOf(reference: Reference, name: string): ScopeColumn[] {
  const { relation } = reference;
  const forbidden = forbiddenColumns(relation) ?? [];
  return relation.columns.map((column) => {
    const cell = reference.cells.get(column.name);
    return {
      name: column.name,
      flow: cell === undefined ? NONE : ofCell(cell),
      base: { reference, table: name, column: column.name },
      hazard: forbidden.includes(column.name)
        ? `${relation.schema}.${relation.name}.${column.name}, which depends on hidden values`
        : null,
    };
  });
}

/** Refuses relations that may not be read as they are, and those that hidden values shape. */
export function vetRelation(state: Analysis, reference: Reference): void {
  const { relation } = reference;
  const name = relationKey(relation.schema, relation.name);
  if (forbiddenColumns(relation) === null)
    state.refuse(`${name}, which may reveal hidden values`, 'Read another view.');
  if (relation.kind === 'composite') state.refuse('a type where a table belongs');
  const labels = state.context.relations[name];
  if (labels === undefined) return;
  if (!labels.understood) {
    state.refuse(`what decides on the rows of ${name}`, INSTEAD);
    return;
  }
  for (const source of labels.shape) {
    state.use(source, 'predicate');
    const sensitive = { sources: [source], bare: true };
    const column = { name: '', type: TEXT, notNull: false, generated: null };
    if (state.options.mask(sensitive, column).treatment === 'open') continue;
    state.problem({
      code: 'masking.opaque_predicate',
      reason: `The rows of ${name} are chosen by ${source.column} (${source.label}), which is masked.`,
      wayOut: INSTEAD,
    });
  }
}

const INSTEAD = 'Query the tables of the view, or the table of the partitions, instead.';
const TEXT = { sql: 'text', name: 'pg_catalog.text', collation: null, deterministic: true };
const UNKNOWN: Output = { columns: [], complete: false, extra: NONE };

function rangeVariable(state: Analysis, node: RangeVar, scope: Scope): Item {
  const name = node.relname ?? '';
  state.visited.add(node);
  if (node.schemaname === undefined && node.catalogname === undefined) {
    const cte = findCte(scope, name);
    if (cte === null) {
      state.refuse('a common table expression that is named before it is complete');
      return itemOf(table(state, UNKNOWN, node.alias, name));
    }
    if (cte !== undefined) return itemOf(table(state, cte, node.alias, name));
  }
  const relation = findRelation(state.context.catalogue, node);
  if (relation === null) {
    state.unknown.add(node);
    state.refuse(
      'a relation that the catalogue does not have',
      'Look the tables up in information_schema.tables.',
    );
    return itemOf(table(state, UNKNOWN, node.alias, name));
  }
  const reference = state.refer(node, relation, false);
  vetRelation(state, reference);
  state.patches.set(node, { schemaname: relation.schema });
  const shown = node.alias?.aliasname ?? relation.name;
  const names = namesOf(node.alias?.colnames) ?? [];
  const columns = columnsOf(reference, shown);
  const own: ScopeTable = {
    ...renamed({ columns, complete: true, extra: NONE }, names),
    name: shown,
    schema: node.alias === undefined ? relation.schema : null,
    reference,
  };
  return itemOf(own);
}

function rangeFunction(state: Analysis, node: RangeFunction, scope: Scope): Item {
  const calls = (node.functions ?? [])
    .flatMap((entry) => itemsOf(entry))
    .filter((call) => tagOf(call) !== '');
  const definitions = [
    ...(node.coldeflist ?? []),
    ...(node.functions ?? []).flatMap((entry) => childrenOf(itemsOf(entry).slice(1))),
  ];
  const values = calls.filter((call) => !('ColumnDef' in call) && !('List' in call));
  const flow = state.computed(values.map((call) => expression(state, call, scope, 'other')));
  const [call] = values;
  const name =
    call !== undefined && 'FuncCall' in call ? (namesOf(call.FuncCall.funcname)?.at(-1) ?? '') : '';
  const known = definitions.flatMap((entry) => ('ColumnDef' in entry ? [entry.ColumnDef.colname ?? ''] : []));
  const columns = known.map((column) => ({ name: column, flow, base: null, hazard: null }));
  return itemOf(table(state, { columns, complete: false, extra: flow }, node.alias, name));
}

function rangeSubselect(state: Analysis, node: RangeSubselect, scope: Scope): Item {
  // Without LATERAL the items beside it are out of sight.
  const around = node.lateral === true ? scope : (scope.parent ?? childScope(null));
  if (node.subquery === undefined) return itemOf(table(state, UNKNOWN, node.alias, ''));
  const output = state.evaluate(node.subquery, around, 'output');
  return itemOf(table(state, output, node.alias, ''));
}

/** The column that USING or NATURAL merges of two. */
function mergedFlow(state: Analysis, left: Flow, right: Flow): Flow {
  const compared = equality(state, state.touch(left, 'predicate'), state.touch(right, 'predicate'), 'JOIN');
  state.check(compared, 'JOIN');
  const label = surrogateLabel(left);
  if (label !== null && label === surrogateLabel(right))
    return { cells: new Set([...left.cells, ...right.cells]), bare: true, nulls: new Set() };
  return state.computed([left, right]);
}

function join(state: Analysis, node: JoinExpr, scope: Scope): Item {
  const left = item(state, node.larg, scope);
  const right = item(state, node.rarg, { ...scope, items: [...scope.items, left] });
  const tables = [...left.tables, ...right.tables];
  let using = namesOf(node.usingClause) ?? [];
  if (node.isNatural === true) {
    if (!left.complete || !right.complete) state.refuse('NATURAL JOIN of columns that are not known');
    using = left.columns
      .map(({ name }) => name)
      .filter((name) => right.columns.some((column) => column.name === name));
  }
  const merged = using.map((name): ScopeColumn => {
    const sides = [left, right].map(({ columns }) => columns.filter((column) => column.name === name));
    const [first, second] = sides.map((columns) => (columns.length === 1 ? columns[0] : undefined));
    for (const column of [first, second]) if (column?.hazard) state.refuse(column.hazard);
    if (first === undefined || second === undefined)
      state.refuse('USING of a column that is not known or not unique');
    const flow = mergedFlow(state, first?.flow ?? NONE, second?.flow ?? NONE);
    return { name, flow, base: null, hazard: null };
  });
  const rest = (side: Item) => side.columns.filter(({ name }) => !using.includes(name));
  const columns = [...merged, ...rest(left), ...rest(right)];
  const complete = left.complete && right.complete;
  const extra = state.computed([left.extra, right.extra]);
  const joined: Item = { columns, complete, extra, tables };
  const within = { ...scope, items: [...scope.items, joined] };
  state.check(expression(state, node.quals, within, 'predicate'), 'JOIN');
  if (node.alias !== undefined) return itemOf(table(state, { columns, complete, extra }, node.alias, ''));
  if (node.join_using_alias === undefined) return joined;
  const alias = table(state, { columns: merged, complete: true, extra: NONE }, node.join_using_alias, '');
  return { ...joined, tables: [...tables, alias] };
}

/** Notes one item of FROM. `scope` holds the items before it, which LATERAL sees. */
function item(state: Analysis, node: Node | undefined, scope: Scope): Item {
  if (node === undefined) return { columns: [], complete: true, extra: NONE, tables: [] };
  if ('RangeVar' in node) return rangeVariable(state, node.RangeVar, scope);
  if ('RangeSubselect' in node) return rangeSubselect(state, node.RangeSubselect, scope);
  if ('JoinExpr' in node) return join(state, node.JoinExpr, scope);
  if ('RangeFunction' in node) return rangeFunction(state, node.RangeFunction, scope);
  if ('RangeTableSample' in node) {
    const sampled = item(state, node.RangeTableSample.relation, scope);
    for (const argument of [...(node.RangeTableSample.args ?? []), node.RangeTableSample.repeatable])
      state.check(expression(state, argument, scope, 'predicate'), 'TABLESAMPLE');
    if (
      sampled.tables.some(
        ({ reference }) => reference !== null && (isMasked(reference) || reference.cells.size > 0),
      )
    )
      state.refuse('TABLESAMPLE of a table with masked columns, whose pages depend on hidden values');
    return sampled;
  }
  if ('RangeTableFunc' in node || 'JsonTable' in node) {
    const alias = 'JsonTable' in node ? node.JsonTable.alias : node.RangeTableFunc.alias;
    const parts = childrenOf({ ...bodyOf(node), alias: undefined });
    const flow = state.computed(parts.map((part) => expression(state, part, scope, 'other')));
    return itemOf(table(state, { columns: [], complete: false, extra: flow }, alias, ''));
  }
  state.refuse(`${tagOf(node)} in FROM`);
  return itemOf(table(state, UNKNOWN, undefined, ''));
}

/** Items of a FROM clause, each seeing those before it as far as LATERAL goes. */
export function fromClause(state: Analysis, nodes: readonly Node[] | undefined, scope: Scope): Item[] {
  const items: Item[] = [];
  for (const node of nodes ?? [])
    items.push(item(state, node, { ...scope, items: [...scope.items, ...items] }));
  return items;
}
