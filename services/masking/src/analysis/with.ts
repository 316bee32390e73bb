import type { CommonTableExpr, WithClause } from '@pgsql/types';
import { type Node, namesOf } from '../tree/index.js';
import type { Analysis } from './analysis.js';
import { type Flow, sameFlow, surrogateLabel } from './flow.js';
import { type Cte, childScope, type Output, renamed, type Scope } from './scope.js';

/** Rounds after which a recursive query is taken to compute from all that enters it. */
const ROUNDS = 8;

/** Two flows that meet in one column, as the arms of a set operation. */
export function merged(state: Analysis, left: Flow, right: Flow): Flow {
  if (left.bare && right.bare) {
    const label = surrogateLabel(left);
    const cells = new Set([...left.cells, ...right.cells]);
    if (label !== null && label === surrogateLabel(right)) return { cells, bare: true, nulls: new Set() };
    const labels = new Set([...cells].map((cell) => cell.label));
    const raw = [...cells].some(({ mask }) => mask.treatment === 'raw');
    if (!raw && labels.size === 1 && !labels.has(null)) return { cells, bare: true, nulls: new Set() };
  }
  return state.computed([left, right]);
}

function recursive(
  state: Analysis,
  cte: CommonTableExpr,
  query: Node,
  scope: Scope,
  names: string[],
): Output {
  const name = cte.ctename ?? '';
  const select = 'SelectStmt' in query ? query.SelectStmt : undefined;
  const within = (self: Cte): Scope => ({ ...childScope(scope), ctes: new Map([[name, self]]) });
  if (select?.larg === undefined || select.op === 'SETOP_NONE')
    return renamed(state.evaluate(query, within(null), 'output'), names);
  let output = renamed(state.evaluate({ SelectStmt: select.larg }, within(null), 'output'), names);
  for (let round = 0; round < ROUNDS; round += 1) {
    const next = renamed(state.evaluate(query, within(output), 'output'), names);
    const settled = next.columns.every((column, index) => {
      const before = output.columns[index];
      return before !== undefined && sameFlow(before.flow, column.flow);
    });
    output = next;
    if (settled) return output;
  }
  const flow = state.computed(output.columns.map((column) => column.flow));
  return { ...output, columns: output.columns.map((column) => ({ ...column, flow })) };
}

function named(node: Node | undefined, name: string): boolean {
  return JSON.stringify(node ?? null).includes(`"relname":${JSON.stringify(name)}`);
}

/** Common table expressions of a statement, each seeing those before it. */
export function withClause(state: Analysis, clause: WithClause | undefined, scope: Scope): Scope {
  const ctes = new Map<string, Cte>(scope.ctes);
  const nodes = (clause?.ctes ?? []).flatMap((node) =>
    'CommonTableExpr' in node ? [node.CommonTableExpr] : [],
  );
  // Under RECURSIVE a name may be used before its place; it means the common table expression all the same.
  if (clause?.recursive === true) for (const cte of nodes) ctes.set(cte.ctename ?? '', null);
  for (const cte of nodes) {
    if (cte.search_clause !== undefined || cte.cycle_clause !== undefined) state.refuse('SEARCH or CYCLE');
    if (cte.ctequery === undefined) continue;
    const names = namesOf(cte.aliascolnames) ?? [];
    const seen: Scope = { ...scope, ctes: new Map(ctes) };
    const self = clause?.recursive === true && named(cte.ctequery, cte.ctename ?? '');
    const output = self
      ? recursive(state, cte, cte.ctequery, seen, names)
      : renamed(state.evaluate(cte.ctequery, childScope(seen), 'output'), names);
    const columns = output.columns.map((column) => ({ ...column, base: null }));
    ctes.set(cte.ctename ?? '', { ...output, columns });
  }
  return { ...scope, ctes };
}
