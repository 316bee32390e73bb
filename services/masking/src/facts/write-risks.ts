import type { RangeVar } from '@pgsql/types';
import type { TargetContext } from '../analysis/index.js';
import { findRelation } from '../analysis/index.js';
import { type Fields, isFields, type Node, objectsOf } from '../tree/index.js';
import { type Danger, danger, none, together } from './danger.js';
import { bounds, type Chosen, truth } from './predicate.js';

function chosenBy(target: unknown, context: TargetContext): Chosen {
  if (!isFields(target)) return { relation: null, names: [] };
  const node = target as RangeVar;
  const relation = findRelation(context.catalogue, node);
  return { relation, names: [node.alias?.aliasname ?? node.relname ?? ''] };
}

/** Whether a source of rows is written out in the statement, or itself bounded by constants. */
function isBoundedSource(node: Node | undefined): boolean {
  if (node === undefined || !('RangeSubselect' in node)) return false;
  const query = node.RangeSubselect.subquery;
  if (query === undefined || !('SelectStmt' in query)) return false;
  const { valuesLists, whereClause, limitCount, fromClause } = query.SelectStmt;
  if (valuesLists !== undefined || limitCount !== undefined || fromClause === undefined) return true;
  return whereClause !== undefined && bounds(whereClause, { relation: null, names: [] });
}

function changed(fields: Fields, sources: readonly Node[], context: TargetContext): Danger {
  const chosen = chosenBy(fields.relation, context);
  const where = fields.whereClause as Node | undefined;
  if (where === undefined) return danger([], ['unbounded-write']);
  if (truth(where, chosen) === 'always') return danger([], ['unbounded-write', 'always-true-predicate']);
  if (bounds(where, chosen) || (sources.length > 0 && sources.every(isBoundedSource))) return none;
  return danger([], ['unbounded-write']);
}

const CHANGES = new Map([
  ['CMD_UPDATE', 'update'],
  ['CMD_DELETE', 'delete'],
  ['CMD_INSERT', 'insert'],
] as const);

function merged(fields: Fields, context: TargetContext): Danger {
  const chosen = chosenBy(fields.relation, context);
  const on = fields.joinCondition as Node | undefined;
  const source = fields.sourceRelation as Node | undefined;
  const narrow = isBoundedSource(source) || (on !== undefined && bounds(on, chosen));
  const clauses = ((fields.mergeWhenClauses as Node[] | undefined) ?? []).map((entry) => {
    if (!('MergeWhenClause' in entry)) return none;
    const { commandType, condition, matchKind } = entry.MergeWhenClause;
    const verb = commandType === undefined ? undefined : CHANGES.get(commandType as 'CMD_UPDATE');
    if (verb === undefined) return none;
    const bounded =
      verb === 'insert' ||
      (narrow && matchKind === 'MERGE_WHEN_MATCHED') ||
      (condition !== undefined && bounds(condition, chosen));
    return danger([verb], bounded ? [] : ['unbounded-write']);
  });
  return together([danger(['merge', 'read'], []), ...clauses]);
}

/** What one object of a tree writes, if it is a statement that does. */
export function writeDanger(name: string, fields: Fields, context: TargetContext): Danger {
  if (name === 'InsertStmt') {
    const conflict = fields.onConflictClause;
    const updates = isFields(conflict) && conflict.action === 'ONCONFLICT_UPDATE';
    return danger(updates ? ['insert', 'update'] : ['insert'], []);
  }
  if (name === 'UpdateStmt' || name === 'DeleteStmt') {
    const sources =
      (fields[name === 'UpdateStmt' ? 'fromClause' : 'usingClause'] as Node[] | undefined) ?? [];
    const reads = sources.length > 0 || usesTables(fields.whereClause);
    return together([
      danger([name === 'UpdateStmt' ? 'update' : 'delete', ...(reads ? (['read'] as const) : [])], []),
      changed(fields, sources, context),
    ]);
  }
  return name === 'MergeStmt' ? merged(fields, context) : none;
}

function usesTables(node: unknown): boolean {
  for (const { name } of objectsOf(node)) if (name === 'RangeVar') return true;
  return false;
}
