import type { Node } from '../tree/index.js';
import { namesOf, tagOf } from '../tree/index.js';

/** The name of a result column without an alias: FigureColname of PostgreSQL's parse_target.c. */
export function targetName(node: Node | undefined): string {
  return named(node) ?? '?column?';
}

const FIXED: Readonly<Record<string, string>> = {
  CoalesceExpr: 'coalesce',
  A_ArrayExpr: 'array',
  RowExpr: 'row',
  GroupingFunc: 'grouping',
  MergeSupportFunc: 'merge_action',
  JsonParseExpr: 'json',
  JsonScalarExpr: 'json_scalar',
  JsonSerializeExpr: 'json_serialize',
  JsonObjectConstructor: 'json_object',
  JsonArrayConstructor: 'json_array',
  JsonArrayQueryConstructor: 'json_array',
  JsonObjectAgg: 'json_objectagg',
  JsonArrayAgg: 'json_arrayagg',
};

function named(node: Node | undefined): string | null {
  if (node === undefined) return null;
  if ('ColumnRef' in node) return lastName(node.ColumnRef.fields);
  if ('A_Indirection' in node)
    return lastName(node.A_Indirection.indirection) ?? named(node.A_Indirection.arg);
  if ('FuncCall' in node) return lastName(node.FuncCall.funcname);
  if ('A_Expr' in node) return node.A_Expr.kind === 'AEXPR_NULLIF' ? 'nullif' : null;
  if ('TypeCast' in node) return named(node.TypeCast.arg) ?? lastName(node.TypeCast.typeName?.names);
  if ('CollateClause' in node) return named(node.CollateClause.arg);
  if ('CaseExpr' in node) return named(node.CaseExpr.defresult) ?? 'case';
  if ('MinMaxExpr' in node) return node.MinMaxExpr.op === 'IS_LEAST' ? 'least' : 'greatest';
  if ('SubLink' in node) {
    if (node.SubLink.subLinkType === 'EXISTS_SUBLINK') return 'exists';
    if (node.SubLink.subLinkType === 'ARRAY_SUBLINK') return 'array';
    if (node.SubLink.subLinkType !== 'EXPR_SUBLINK') return null;
    const select = node.SubLink.subselect;
    const [first] =
      select !== undefined && 'SelectStmt' in select ? (select.SelectStmt.targetList ?? []) : [];
    if (first === undefined || !('ResTarget' in first)) return null;
    return first.ResTarget.name ?? named(first.ResTarget.val);
  }
  return FIXED[tagOf(node)] ?? null;
}

function lastName(nodes: readonly Node[] | undefined): string | null {
  const names = namesOf(nodes?.filter((node) => 'String' in node));
  return names?.at(-1) ?? null;
}
