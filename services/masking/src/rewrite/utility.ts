import type { Problem, TargetContext } from '../analysis/index.js';
import { Analysis, findRelation, isMasked, isSystem, notUnderstood, vetWrite } from '../analysis/index.js';
import { type Fields, isFields, type Node, stringsOf, tagOf } from '../tree/index.js';
import { optionsUnder } from './masks.js';
import settings from './settings.json' with { type: 'json' };

const COMMANDS: Readonly<Record<string, string>> = {
  CallStmt: 'CALL: what a procedure does is not in the statement',
  ClosePortalStmt: 'CLOSE',
  CopyStmt: 'COPY',
  DeallocateStmt: 'DEALLOCATE',
  DeclareCursorStmt: 'DECLARE',
  DiscardStmt: 'DISCARD, which undoes what the gateway has set',
  DoStmt: 'DO: what a block does is not in the statement',
  ExecuteStmt: 'EXECUTE',
  FetchStmt: 'FETCH and MOVE',
  ListenStmt: 'LISTEN: notifications of others may hold values',
  LockStmt: 'LOCK',
  NotifyStmt: 'NOTIFY',
  PrepareStmt: 'PREPARE',
  UnlistenStmt: 'UNLISTEN',
};

/** Why a statement that reads or writes no rows by itself may not run; null where it may run as it is. */
export function utilityProblem(node: Node, context: TargetContext, profile: string): Problem | null {
  if ('TransactionStmt' in node)
    return /PREPARE/.test(node.TransactionStmt.kind ?? '')
      ? notUnderstood(
          'prepared transactions, which outlive the session',
          'Commit or roll back in the session.',
        )
      : null;
  if ('VariableShowStmt' in node)
    return settings.show.includes((node.VariableShowStmt.name ?? '').toLowerCase())
      ? null
      : notUnderstood('showing a setting that is not on its list', 'Show another setting.');
  if ('VariableSetStmt' in node) return setProblem(node.VariableSetStmt as unknown as Fields, context);
  if ('TruncateStmt' in node) return truncateProblem(node, context, profile);
  const tag = tagOf(node);
  return notUnderstood(
    COMMANDS[tag] ?? `${tag}, a command`,
    'Send plain SELECT, INSERT, UPDATE or DELETE statements.',
  );
}

function setProblem(body: Fields, context: TargetContext): Problem | null {
  const name = String(body.name ?? '').toLowerCase();
  const kind = String(body.kind);
  if (name === 'search_path' && kind === 'VAR_SET_VALUE') {
    const given = ((body.args as Node[] | undefined) ?? []).map((argument) =>
      'A_Const' in argument ? (argument.A_Const.sval?.sval ?? '') : '',
    );
    // What the path is already may be said again, with or without what PostgreSQL puts first: pg_catalog elsewhere would
    // let names of the owner go before its own. Without pg_temp at its end, that would be looked at first.
    const isTemporary = (schema: string) => schema.startsWith('pg_temp');
    const path = context.catalogue.searchPath.filter((schema) => !isTemporary(schema));
    const own = path.filter((schema) => schema !== 'pg_catalog');
    const asked = given.filter((schema) => !isTemporary(schema)).join('\0');
    const last = given.findIndex(isTemporary);
    const atEnd = last === -1 || last === given.length - 1;
    if (atEnd && [path.join('\0'), own.join('\0')].includes(asked)) return null;
  }
  const harmless = settings.set.includes(name) && kind !== 'VAR_RESET_ALL';
  return harmless ? null : notUnderstood('what this setting changes', 'Leave the setting as it is.');
}

function truncateProblem(node: Node, context: TargetContext, profile: string): Problem | null {
  const body = 'TruncateStmt' in node ? node.TruncateStmt : {};
  const state = new Analysis(context, optionsUnder(context, profile, []), () => {
    throw new TypeError('TRUNCATE holds no query.');
  });
  for (const target of body.relations ?? []) {
    if (!('RangeVar' in target)) continue;
    const relation = findRelation(context.catalogue, target.RangeVar);
    if (relation === null) state.refuse('a relation that the catalogue does not have');
    else
      vetWrite(
        state,
        state.refer(target.RangeVar, relation, true),
        'truncate',
        [],
        body.behavior === 'DROP_CASCADE',
      );
  }
  return state.problems[0] ?? null;
}

/** The query of an EXPLAIN that may be answered, or why it may not. */
export function explained(node: Node): Node | Problem {
  const refused = notUnderstood(
    'EXPLAIN with these options',
    'Ask for EXPLAIN alone, or with COSTS or VERBOSE.',
  );
  if (!('ExplainStmt' in node) || node.ExplainStmt.query === undefined) return refused;
  const allowed = new Set(['costs', 'verbose', 'format', 'analyze', 'settings', 'generic_plan', 'summary']);
  for (const option of node.ExplainStmt.options ?? []) {
    if (!('DefElem' in option) || !allowed.has(option.DefElem.defname ?? '')) return refused;
    const value = option.DefElem.arg === undefined ? null : stringsOf([option.DefElem.arg])[0];
    const off = typeof value === 'string' && /^(off|false|no|0)$/i.test(value);
    if (option.DefElem.defname === 'analyze' && !off) return refused;
  }
  return node.ExplainStmt.query;
}

/** Plans tell how many rows and how wide values are expected, so they are shown of tables without labels only. */
export function planProblem(state: Analysis): Problem | null {
  // What stands behind a view or a routine is planned too, and is not named here.
  const behind = ['view', 'materialized-view'];
  const hidden = [...state.references.values()].find(
    (reference) =>
      reference.cells.size > 0 ||
      isMasked(reference) ||
      (behind.includes(reference.relation.kind) && !isSystem(reference.relation)),
  );
  if (state.routines.size > 0)
    return notUnderstood('a plan of what a function does', 'Explain plain queries.');
  if (hidden === undefined) return null;
  const { schema, name } = hidden.relation;
  return notUnderstood(
    `a plan of ${schema}.${name}, whose estimates come from hidden values`,
    'Explain statements on tables without labels.',
  );
}

export function isProblem(value: Node | Problem): value is Problem {
  return isFields(value) && 'wayOut' in value;
}
