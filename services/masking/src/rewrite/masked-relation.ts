import type { Alias } from '@pgsql/types';
import type { Analysis, Reference, Returned } from '../analysis/index.js';
import type { Grammar } from '../parsing/index.js';
import { type Node, quoteIdentifier, stringsOf } from '../tree/index.js';

/** The masked subquery's text: every column in order, each masked one cast back to its type. */
export function maskedSelect(state: Analysis, reference: Reference): string {
  const { relation, cells, node } = reference;
  const columns = relation.columns.map(({ name }) => {
    const quoted = quoteIdentifier(name);
    const cell = cells.get(name);
    if (cell === undefined || cell.mask.treatment === 'open' || state.isRaw(cell)) return quoted;
    return `${cell.mask.sql(quoted)} AS ${quoted}`;
  });
  const only = node.inh === true ? '' : 'ONLY ';
  return `SELECT ${columns.join(', ')} FROM ${only}${quoteIdentifier(relation.schema)}.${quoteIdentifier(relation.name)}`;
}

/** The masked subquery that stands in place of a reference, under the name that the reference had. */
export function maskedRelation(state: Analysis, reference: Reference, grammar: Grammar): Node {
  const [statement] = grammar(maskedSelect(state, reference)).stmts ?? [];
  if (statement?.stmt === undefined) throw new TypeError('The masked subquery has no tree.');
  const alias: Alias = reference.node.alias ?? { aliasname: reference.relation.name };
  return { RangeSubselect: { subquery: statement.stmt, alias } };
}

/** An entry of a RETURNING list, with the mask of a column in its place and under its name. */
export function maskedEntry({ node, cell }: Returned, grammar: Grammar): Node {
  if (cell === null || !('ResTarget' in node)) return node;
  const { val, name } = node.ResTarget;
  const fields = val !== undefined && 'ColumnRef' in val ? stringsOf(val.ColumnRef.fields) : [];
  // A schema before the table is not needed: nothing else of that name is there.
  const column = fields
    .slice(-2)
    .map((field) => quoteIdentifier(field ?? ''))
    .join('.');
  const [statement] = grammar(`SELECT ${cell.mask.sql(column)}`).stmts ?? [];
  const select = statement?.stmt;
  const [target] = select !== undefined && 'SelectStmt' in select ? (select.SelectStmt.targetList ?? []) : [];
  if (target === undefined || !('ResTarget' in target)) throw new TypeError('The mask has no tree.');
  return { ResTarget: { ...target.ResTarget, name: name ?? cell.column.name } };
}
