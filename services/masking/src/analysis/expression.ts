import type { A_Expr, FuncCall, SubLink, TypeCast, WindowDef } from '@pgsql/types';
import { childrenOf, itemsOf, type Node, namesOf, tagOf } from '../tree/index.js';
import type { Analysis, Use } from './analysis.js';
import { columnReference } from './columns.js';
import { type Flow, NONE, nullsOf, surrogateLabel } from './flow.js';
import { findFunction, isOwnOperator } from './names.js';
import { childScope, type Scope } from './scope.js';
import { vetTypesByName } from './types.js';

/** Nodes that hold no value of a row. */
const LEAVES = new Set([
  'A_Const', 'ParamRef', 'SQLValueFunction', 'SetToDefault', 'MergeSupportFunc', 'TypeName', 'String', 'Integer',
  'Float', 'Boolean', 'BitString', 'JsonFormat', 'JsonReturning', 'JsonOutput', 'A_Star',
]); // biome-ignore format: a set reads better in a block
/** Nodes whose value depends on whatever stands below them. */
const COMPUTING = new Set([
  'A_ArrayExpr', 'A_Indices', 'BoolExpr', 'BooleanTest', 'CaseExpr', 'CaseWhen', 'CoalesceExpr', 'CollateClause',
  'GroupingFunc', 'JsonAggConstructor', 'JsonArgument', 'JsonArrayAgg', 'JsonArrayConstructor', 'JsonBehavior',
  'JsonFuncExpr', 'JsonIsPredicate', 'JsonKeyValue', 'JsonObjectAgg', 'JsonObjectConstructor', 'JsonParseExpr',
  'JsonScalarExpr', 'JsonSerializeExpr', 'JsonTableColumn', 'JsonTablePathSpec', 'JsonValueExpr', 'List', 'MinMaxExpr',
  'MultiAssignRef', 'NamedArgExpr', 'RangeTableFuncCol', 'ResTarget', 'RowExpr', 'XmlExpr', 'XmlSerialize', 'A_Indirection',
]); // biome-ignore format: a set reads better in a block
const EQUALITIES = new Set(['=', '<>', '!=']);
const TEXT_TYPES = new Set(['text', 'varchar']);
/** Functions that see the number of elements of an array and nothing else of it. */
const LENGTHS = new Set(['cardinality', 'array_length', 'array_ndims', 'array_lower', 'array_upper']);

/** Functions that put a text to a type that another text names. */
const NAMES_TYPES = new Set(['pg_input_is_valid', 'pg_input_error_info']);

/** What the value of an expression depends on; refuses what is not understood, by name. */
export function expression(state: Analysis, node: Node | undefined, scope: Scope, use: Use): Flow {
  if (node === undefined) return NONE;
  if ('ColumnRef' in node) return columnReference(state, node.ColumnRef, scope, use);
  const inner: Use = use === 'output' ? 'other' : use;
  if ('TypeCast' in node) return typeCast(state, node.TypeCast, scope, use);
  if ('FuncCall' in node) return functionCall(state, node.FuncCall, scope, inner);
  if ('A_Expr' in node) return operation(state, node.A_Expr, scope, inner);
  if ('SubLink' in node) return sublink(state, node.SubLink, scope, use);
  if ('NullTest' in node) {
    const argument = expression(state, node.NullTest.arg, scope, inner);
    return argument.bare ? nullsOf(argument) : state.computed([argument]);
  }
  if ('GroupingFunc' in node) {
    // It tells which columns a row is grouped by, and nothing of their values.
    for (const argument of node.GroupingFunc.args ?? []) expression(state, argument, scope, inner);
    return NONE;
  }
  const tag = tagOf(node);
  if (LEAVES.has(tag)) return NONE;
  if ('JsonArrayQueryConstructor' in node)
    return state.computed(
      flowsOf(state.evaluate(node.JsonArrayQueryConstructor.query ?? node, scope, inner)),
    );
  if (!COMPUTING.has(tag)) {
    state.refuse(`${tag} in an expression`);
    return NONE;
  }
  return state.computed(childrenOf(node).map((child) => windowOrExpression(state, child, scope, inner)));
}

function windowOrExpression(state: Analysis, node: Node, scope: Scope, use: Use): Flow {
  if ('SortBy' in node) return ordered(state, [node], scope);
  return expression(state, node, scope, use);
}

/** What anything in an output may depend on. */
export function flowsOf(output: { columns: readonly { flow: Flow }[]; extra: Flow }): Flow[] {
  return [...output.columns.map(({ flow }) => flow), output.extra];
}

function typeCast(state: Analysis, node: TypeCast, scope: Scope, use: Use): Flow {
  const names = namesOf(node.typeName?.names) ?? [];
  const plain = node.typeName?.typmods === undefined && node.typeName?.arrayBounds === undefined;
  const own = names.length === 1 || names[0] === 'pg_catalog';
  // Between texts a cast keeps the value, so a bare surrogate stays bare.
  const keeps = plain && own && TEXT_TYPES.has(names.at(-1) ?? '');
  const flow = expression(state, node.arg, scope, keeps || use !== 'output' ? use : 'other');
  const texts = [...flow.cells].every(({ column }) => isTextual(state, column.type.name));
  return keeps && texts && flow.bare ? flow : state.computed([flow]);
}

function isTextual(state: Analysis, type: string): boolean {
  const fact = state.context.catalogue.types[type];
  return fact?.base
    ? isTextual(state, fact.base.name)
    : ['pg_catalog.text', 'pg_catalog.varchar'].includes(type);
}

/** Comparison of two values that only asks whether they are equal. */
export function equality(state: Analysis, left: Flow, right: Flow, clause: string): Flow {
  const label = surrogateLabel(left);
  if (label !== null && label === surrogateLabel(right)) {
    state.check(left, clause, true);
    state.check(right, clause, true);
    return NONE;
  }
  for (const [side, other] of [
    [left, right],
    [right, left],
  ] as const) {
    const granted = surrogateLabel(side);
    if (granted === null || !state.options.lookups.has(granted) || other.cells.size + other.nulls.size > 0)
      continue;
    state.check(side, clause, true);
    return NONE;
  }
  return state.computed([left, right]);
}

function operation(state: Analysis, node: A_Expr, scope: Scope, use: Use): Flow {
  const names = namesOf(node.name);
  const word = /^(NOT )?BETWEEN/.test(names?.at(-1) ?? '') && node.kind?.includes('BETWEEN') === true;
  if (!word && !isOwnOperator(state.context.catalogue, names))
    state.refuse("an operator that is not PostgreSQL's own");
  const left = expression(state, node.lexpr, scope, use);
  const comparing =
    node.kind === 'AEXPR_DISTINCT' || node.kind === 'AEXPR_NOT_DISTINCT' || node.kind === 'AEXPR_IN';
  if (comparing || (node.kind === 'AEXPR_OP' && EQUALITIES.has(names?.at(-1) ?? ''))) {
    const rights =
      node.kind === 'AEXPR_IN' ? itemsOf(node.rexpr) : node.rexpr === undefined ? [] : [node.rexpr];
    return state.computed(
      rights.map((right) => equality(state, left, expression(state, right, scope, use), 'a comparison')),
    );
  }
  return state.computed([left, expression(state, node.rexpr, scope, use)]);
}

function sublink(state: Analysis, node: SubLink, scope: Scope, use: Use): Flow {
  const inner: Use = use === 'output' ? 'other' : use;
  if (node.subselect === undefined) return NONE;
  const single = node.subLinkType === 'EXPR_SUBLINK';
  const output = state.evaluate(node.subselect, childScope(scope), single ? use : inner);
  const [column] = output.columns;
  if (node.subLinkType === 'EXISTS_SUBLINK') return NONE;
  if (single && output.complete && output.columns.length === 1 && column !== undefined) return column.flow;
  if (
    node.subLinkType === 'ANY_SUBLINK' &&
    output.columns.length === 1 &&
    column !== undefined &&
    output.complete
  ) {
    const names = node.operName === undefined ? ['='] : namesOf(node.operName);
    const left = expression(state, node.testexpr, scope, inner);
    if (EQUALITIES.has(names?.at(-1) ?? '') && isOwnOperator(state.context.catalogue, names))
      return equality(state, left, column.flow, 'IN');
    return state.computed([left, column.flow]);
  }
  if (node.operName !== undefined && !isOwnOperator(state.context.catalogue, namesOf(node.operName)))
    state.refuse("an operator that is not PostgreSQL's own");
  return state.computed([expression(state, node.testexpr, scope, inner), ...flowsOf(output)]);
}

/** ORDER BY inside an aggregate or a window. */
function ordered(state: Analysis, nodes: readonly Node[] | undefined, scope: Scope): Flow {
  return state.computed(
    (nodes ?? []).map((node) => {
      const sort = 'SortBy' in node ? node.SortBy : { node };
      if ('useOp' in sort && sort.useOp !== undefined) state.refuse('ORDER BY … USING');
      const flow = expression(state, sort.node, scope, 'predicate');
      state.check(flow, 'ORDER BY');
      return flow;
    }),
  );
}

/** A window definition, in OVER or in WINDOW. What it depends on shapes the answer. */
export function windowDefinition(state: Analysis, window: WindowDef | undefined, scope: Scope): void {
  for (const node of window?.partitionClause ?? [])
    state.check(expression(state, node, scope, 'predicate'), 'PARTITION BY');
  for (const node of window?.orderClause ?? []) {
    const sort = 'SortBy' in node ? node.SortBy : { node };
    state.check(expression(state, sort.node, scope, 'predicate'), 'ORDER BY');
  }
  for (const offset of [window?.startOffset, window?.endOffset])
    state.check(expression(state, offset, scope, 'predicate'), 'a window frame');
}

/** Vets the function of a call and names the routines that it may be. */
export function vetFunction(state: Analysis, call: FuncCall): void {
  const finding = findFunction(state.context, call);
  if (finding.kind === 'unknown') {
    state.unknown.add(call);
    state.refuse('a function that the catalogue does not have');
  } else if (finding.kind === 'unsafe') {
    state.refuse(`the function ${finding.name}, which is not vetted`, 'Use another function.');
  } else if (finding.kind === 'routine') {
    for (const key of finding.keys) state.routines.add(key);
    for (const key of finding.keys)
      for (const source of state.context.routines[key]?.sources ?? []) state.use(source, 'other');
    if (!finding.clean)
      state.refuse(
        `what the function ${finding.keys.join(' or ')} reads`,
        'Query the tables instead of the function.',
      );
    const [schema, name] = (finding.keys[0] ?? '').split('.');
    if (
      finding.keys.length === 1 &&
      call.funcname?.length === 1 &&
      schema !== undefined &&
      name !== undefined
    )
      state.patches.set(call, { funcname: [{ String: { sval: schema } }, { String: { sval: name } }] });
  }
}

function functionCall(state: Analysis, call: FuncCall, scope: Scope, use: Use): Flow {
  vetFunction(state, call);
  const name = namesOf(call.funcname)?.at(-1) ?? '';
  if (NAMES_TYPES.has(name)) vetTypesByName(state);
  const builtin = findFunction(state.context, call).kind === 'safe';
  windowDefinition(state, call.over, scope);
  if (call.agg_filter !== undefined)
    state.check(expression(state, call.agg_filter, scope, 'predicate'), 'FILTER');
  const flows = (call.args ?? []).map((argument) => expression(state, argument, scope, use));
  const [only] = flows;
  const order = ordered(state, call.agg_order, scope);
  if (
    builtin &&
    name === 'count' &&
    flows.length === 1 &&
    only?.bare === true &&
    call.agg_order === undefined
  ) {
    if (call.agg_distinct !== true) return nullsOf(only);
    state.check(only, 'COUNT(DISTINCT)', true);
    return surrogateLabel(only) === null ? state.computed([only]) : nullsOf(only);
  }
  if (
    builtin &&
    LENGTHS.has(name) &&
    only?.bare === true &&
    [...only.cells].every(({ mask }) => mask.preservesLength)
  )
    return state.computed(flows.slice(1));
  const flow = state.computed([...flows, ...(call.agg_within_group === true ? [order] : [])]);
  if (call.agg_distinct === true) state.check(state.computed(flows), 'DISTINCT');
  return flow;
}
