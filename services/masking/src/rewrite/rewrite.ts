import type { Problem, TargetContext, Walked } from '../analysis/index.js';
import { isQuery, notUnderstood, walk } from '../analysis/index.js';
import { NO_PROFILE } from '../labels/index.js';
import type { Grammar } from '../parsing/index.js';
import type { Node } from '../tree/index.js';
import { maskedEntry, maskedRelation } from './masked-relation.js';
import { optionsUnder } from './masks.js';
import { rebuild } from './rebuild.js';
import { reproduce } from './reproduce.js';
import { explained, isProblem, planProblem, utilityProblem } from './utility.js';

export interface RewriteRequest {
  readonly statements: readonly Node[];
  readonly profile: string;
  readonly lookups: readonly string[];
}

export interface ReleasedColumn {
  readonly index: number;
  readonly label: string;
}

export type Rewrite =
  | {
      readonly kind: 'rewritten';
      readonly statement: string;
      readonly releasedColumns: readonly ReleasedColumn[];
      readonly masked: boolean;
    }
  | { readonly kind: 'refused'; readonly problem: Problem };

function refused(problem: Problem): Rewrite {
  return { kind: 'refused', problem };
}

function written(tree: Node, grammar: Grammar, releasedColumns: ReleasedColumn[], masked: boolean): Rewrite {
  const statement = reproduce(tree, grammar);
  if (statement !== null) return { kind: 'rewritten', statement, releasedColumns, masked };
  return refused({
    code: 'masking.not_reproducible',
    reason: 'The statement cannot be written back exactly as it was understood.',
    wayOut: 'Write the statement in a plainer form.',
  });
}

/** Result columns that hold raw values, to be replaced by surrogates at release. */
function releasedOf({ state, output }: Walked): ReleasedColumn[] {
  return output.columns.flatMap(({ flow }, index) => {
    const [cell] = flow.cells;
    const raw = flow.bare && cell !== undefined && [...flow.cells].every((each) => state.isRaw(each));
    return raw && cell.label !== null ? [{ index, label: cell.label }] : [];
  });
}

/**
 * What really runs of one message under a profile, or why it may not.
 * @param own parses masked subqueries, which are few and come again and again: it may remember them
 */
export function rewrite(
  request: RewriteRequest,
  context: TargetContext,
  grammar: Grammar,
  own = grammar,
): Rewrite {
  const { statements, profile, lookups } = request;
  const [node] = statements;
  if (node === undefined) return { kind: 'rewritten', statement: '', releasedColumns: [], masked: false };
  if (statements.length > 1)
    return refused(notUnderstood('several statements in one message', 'Send one statement at a time.'));
  const explain = 'ExplainStmt' in node ? explained(node) : null;
  if (explain !== null && isProblem(explain)) return refused(explain);
  const query = explain ?? node;
  if (!isQuery(query)) {
    const problem =
      explain === null
        ? utilityProblem(node, context, profile)
        : notUnderstood('EXPLAIN of a command', 'Explain a query.');
    return problem === null ? written(node, grammar, [], false) : refused(problem);
  }
  const walked = walk(context, query, optionsUnder(context, profile, lookups));
  const { state } = walked;
  const problem = state.problems[0] ?? (explain === null ? null : planProblem(state));
  if (problem !== null) return refused(problem);
  if (profile === NO_PROFILE && state.uses.size > 0)
    return refused(
      notUnderstood('labelled columns without a masking profile', 'Ask the operator for a profile.'),
    );
  const masked = state.maskedReferences().filter(({ target }) => !target);
  const replaced = new Map(
    masked.map((reference) => [reference.node, maskedRelation(state, reference, own)] as const),
  );
  const patched = new Map<object, Record<string, unknown>>(state.patches);
  for (const [select, columns] of state.grouped) {
    const added = columns.map(
      ([table, column]): Node => ({
        ColumnRef: { fields: [{ String: { sval: table } }, { String: { sval: column } }] },
      }),
    );
    patched.set(select, { ...patched.get(select), groupClause: [...(select.groupClause ?? []), ...added] });
  }
  let masks = masked.length;
  for (const [clause, entries] of state.returned) {
    if (entries.every(({ cell }) => cell === null)) continue;
    masks += 1;
    patched.set(clause, { exprs: entries.map((entry) => maskedEntry(entry, own)) });
  }
  return written(rebuild(node, { replaced, patched }), grammar, releasedOf(walked), masks > 0);
}
