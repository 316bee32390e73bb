import type { Node } from '../tree/index.js';
import { objectsOf, tagOf } from '../tree/index.js';
import { Analysis, type AnalysisOptions } from './analysis.js';
import type { TargetContext } from './context.js';
import { NONE } from './flow.js';
import { childScope, type Output } from './scope.js';
import { select } from './select.js';
import { vetTypes } from './types.js';
import { write } from './write.js';

export interface Walked {
  readonly state: Analysis;
  readonly output: Output;
}

/** Whether a node is a statement that reads or writes rows. */
export function isQuery(node: Node): boolean {
  return ['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'].includes(tagOf(node));
}

/** Walks one query. Pure: the same tree, context and options always give the same. */
export function walk(context: TargetContext, node: Node, options: AnalysisOptions): Walked {
  const state: Analysis = new Analysis(context, options, (inner, scope, use) => {
    if ('SelectStmt' in inner) return select(state, inner.SelectStmt, scope, use);
    const written = write(state, inner, scope);
    if (written !== null) return written;
    state.refuse(`${tagOf(inner)} inside a statement`);
    return { columns: [], complete: false, extra: NONE };
  });
  const output = state.evaluate(node, childScope(null), 'output');
  vetTypes(state, node);
  // What the walk did not come by stayed unmasked: a part of the grammar that is not known here.
  for (const { fields } of objectsOf(node))
    if (typeof fields.relname === 'string' && !state.visited.has(fields))
      state.refuse('a table in a place where none is expected');
  if (!output.complete) {
    // Where results stand is not known, so none can be replaced at release.
    state.computed([...output.columns.map(({ flow }) => flow), output.extra]);
  }
  state.judge();
  return { state, output };
}
