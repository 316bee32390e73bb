import type { A_Const, A_Expr } from '@pgsql/types';
import type { Relation } from '../catalogue/index.js';
import { itemsOf, type Node, namesOf, objectsOf, sameTree, tagOf } from '../tree/index.js';

/** What is known of a predicate without looking at rows. */
export type Truth = 'always' | 'never' | 'depends';

/** The table whose rows a predicate chooses, and the names that qualify its columns. */
export interface Chosen {
  readonly relation: Relation | null;
  readonly names: readonly string[];
}

type Constant = string | number | boolean | null;

function constantOf(constant: A_Const): Constant | undefined {
  if (constant.isnull === true) return null;
  if (constant.ival !== undefined) return constant.ival.ival ?? 0;
  if (constant.boolval !== undefined) return constant.boolval.boolval ?? false;
  if (constant.sval !== undefined) return constant.sval.sval ?? '';
  if (constant.fval !== undefined) return Number(constant.fval.fval ?? '0');
  return undefined;
}

/** The constant that an expression is; undefined where it is none. Casts of constants keep them, near enough. */
function fold(node: Node | undefined): Constant | undefined {
  if (node === undefined) return undefined;
  if ('A_Const' in node) return constantOf(node.A_Const);
  if ('TypeCast' in node) {
    const value = fold(node.TypeCast.arg);
    const type = namesOf(node.TypeCast.typeName?.names)?.at(-1);
    if (type === 'bool' && typeof value === 'string') return /^(t|true|y|yes|on|1)$/i.test(value.trim());
    return value;
  }
  if ('A_Expr' in node && node.A_Expr.kind === 'AEXPR_OP') {
    const [left, right] = [fold(node.A_Expr.lexpr), fold(node.A_Expr.rexpr)];
    if (typeof left !== 'number' || typeof right !== 'number') return undefined;
    const name = namesOf(node.A_Expr.name)?.at(-1);
    if (name === '+') return left + right;
    if (name === '-') return left - right;
    return name === '*' ? left * right : undefined;
  }
  return undefined;
}

function compare(name: string, left: Constant, right: Constant): boolean | undefined {
  if (left === null || right === null || typeof left !== typeof right) return undefined;
  if (name === '=') return left === right;
  if (name === '<>' || name === '!=') return left !== right;
  if (typeof left === 'string') return undefined;
  if (name === '<') return left < right;
  if (name === '>') return left > right;
  if (name === '<=') return left <= right;
  return name === '>=' ? left >= right : undefined;
}

function column(node: Node | undefined, chosen: Chosen): string | null {
  if (node === undefined || !('ColumnRef' in node)) return null;
  const names = namesOf(node.ColumnRef.fields);
  if (names === null || (names.length > 1 && !chosen.names.includes(names.at(-2) ?? ''))) return null;
  return names.at(-1) ?? null;
}

function isNotNull(node: Node | undefined, chosen: Chosen): boolean {
  const name = column(node, chosen);
  return chosen.relation?.columns.some((known) => known.name === name && known.notNull) ?? false;
}

function truthOf(value: boolean | undefined): Truth {
  return value === undefined ? 'depends' : value ? 'always' : 'never';
}

function operation(node: A_Expr, chosen: Chosen): Truth {
  const name = namesOf(node.name)?.at(-1) ?? '';
  const [left, right] = [fold(node.lexpr), fold(node.rexpr)];
  if (node.kind === 'AEXPR_LIKE' || node.kind === 'AEXPR_ILIKE') {
    if (right !== '%' && right !== '%%') return 'depends';
    const certain = typeof left === 'string' || isNotNull(node.lexpr, chosen);
    return certain && !name.startsWith('!') ? 'always' : 'depends';
  }
  if (node.kind === 'AEXPR_IN' && left !== undefined)
    return itemsOf(node.rexpr).some((item) => fold(item) === left) && name === '=' ? 'always' : 'depends';
  const distinct = node.kind === 'AEXPR_NOT_DISTINCT';
  if (node.kind !== 'AEXPR_OP' && !distinct) return 'depends';
  if (left !== undefined && right !== undefined) {
    if (distinct) return left === right ? 'always' : 'never';
    return truthOf(compare(name, left, right));
  }
  const same = node.lexpr !== undefined && node.rexpr !== undefined && sameTree(node.lexpr, node.rexpr);
  if (same && (distinct || ['=', '<=', '>='].includes(name)))
    return distinct || isNotNull(node.lexpr, chosen) ? 'always' : 'depends';
  return 'depends';
}

/** Whether a subquery takes every value of a column of the same table. */
function isWholeColumn(node: Node | undefined, name: string | null, chosen: Chosen): boolean {
  if (node === undefined || !('SelectStmt' in node) || name === null || chosen.relation === null)
    return false;
  const { fromClause, targetList, whereClause, groupClause, havingClause, limitCount, limitOffset, op } =
    node.SelectStmt;
  const [from] = fromClause ?? [];
  const [target] = targetList ?? [];
  if (from === undefined || !('RangeVar' in from) || fromClause?.length !== 1 || op !== 'SETOP_NONE')
    return false;
  if (havingClause ?? groupClause ?? limitCount ?? limitOffset) return false;
  if (from.RangeVar.relname !== chosen.relation.name) return false;
  if (from.RangeVar.schemaname !== undefined && from.RangeVar.schemaname !== chosen.relation.schema)
    return false;
  const inner = {
    relation: chosen.relation,
    names: [from.RangeVar.alias?.aliasname ?? chosen.relation.name],
  };
  const all = whereClause === undefined || truth(whereClause, inner) === 'always';
  return all && target !== undefined && 'ResTarget' in target && column(target.ResTarget.val, inner) === name;
}

/** Folds constants, NOT NULL and AND/OR/NOT: whether no row, every row or some rows pass. */
export function truth(node: Node, chosen: Chosen): Truth {
  const constant = fold(node);
  if (constant !== undefined) return constant === true ? 'always' : 'never';
  if ('BoolExpr' in node) {
    const parts = (node.BoolExpr.args ?? []).map((part) => truth(part, chosen));
    if (node.BoolExpr.boolop === 'NOT_EXPR') return not(parts[0] ?? 'depends', node.BoolExpr.args?.[0]);
    const [decides, fails] =
      node.BoolExpr.boolop === 'OR_EXPR' ? (['always', 'never'] as const) : (['never', 'always'] as const);
    if (parts.includes(decides)) return decides;
    return parts.every((part) => part === fails) ? fails : 'depends';
  }
  if ('A_Expr' in node) return operation(node.A_Expr, chosen);
  if ('NullTest' in node) {
    const never = isNotNull(node.NullTest.arg, chosen);
    const value = fold(node.NullTest.arg);
    const isNull = value === null ? true : value !== undefined || never ? false : undefined;
    return truthOf(isNull === undefined ? undefined : isNull === (node.NullTest.nulltesttype === 'IS_NULL'));
  }
  if ('BooleanTest' in node) {
    const value = fold(node.BooleanTest.arg);
    if (typeof value !== 'boolean') return 'depends';
    const type = node.BooleanTest.booltesttype ?? '';
    if (type.endsWith('UNKNOWN')) return truthOf(type.includes('NOT'));
    return truthOf((value === type.endsWith('TRUE')) !== type.includes('NOT'));
  }
  if (
    'SubLink' in node &&
    node.SubLink.subLinkType === 'ANY_SUBLINK' &&
    node.SubLink.operName === undefined
  ) {
    const name = column(node.SubLink.testexpr, chosen);
    const certain =
      isNotNull(node.SubLink.testexpr, chosen) && isWholeColumn(node.SubLink.subselect, name, chosen);
    return certain ? 'always' : 'depends';
  }
  return 'depends';
}

function not(part: Truth, node: Node | undefined): Truth {
  // NOT NULL is NULL: a null constant fails either way.
  if (part === 'depends' || (node !== undefined && fold(node) === null))
    return part === 'depends' ? part : 'never';
  return part === 'always' ? 'never' : 'always';
}

/** Whether a conjunct bounds the rows by something else than the rows of another table. */
export function bounds(node: Node, chosen: Chosen): boolean {
  if (truth(node, chosen) === 'never') return true;
  if (truth(node, chosen) === 'always') return false;
  if ('BoolExpr' in node && node.BoolExpr.boolop !== 'NOT_EXPR') {
    const parts = (node.BoolExpr.args ?? []).map((part) => bounds(part, chosen));
    return node.BoolExpr.boolop === 'AND_EXPR' ? parts.includes(true) : parts.every(Boolean);
  }
  if (tagOf(node) === 'CurrentOfExpr') return true;
  const parts = [...objectsOf(node)];
  // What names no column holds for every row or for none, and an agent's parameter may say which.
  if (!parts.some(({ name }) => name === 'ColumnRef')) return false;
  // A comparison of columns of two tables is a join: as many rows as the other table gives.
  for (const { name, fields } of parts) {
    if (name === 'A_Const' && fields.isnull !== true) return true;
    if (['ParamRef', 'SQLValueFunction', 'NullTest', 'BooleanTest', 'FuncCall'].includes(name)) return true;
  }
  return !isJoin(node);
}

function isJoin(node: Node): boolean {
  if ('SubLink' in node) return true;
  if (!('A_Expr' in node)) return false;
  const { lexpr, rexpr } = node.A_Expr;
  if (lexpr === undefined || rexpr === undefined || !('ColumnRef' in lexpr) || !('ColumnRef' in rexpr))
    return false;
  const qualifiers = [lexpr, rexpr].map(({ ColumnRef }) => namesOf(ColumnRef.fields)?.at(-2) ?? '');
  return qualifiers[0] !== qualifiers[1];
}
