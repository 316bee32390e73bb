import { deparseSync } from 'pgsql-deparser';
import type { Grammar } from '../parsing/index.js';
import { type Node, sameTree } from '../tree/index.js';

/** The text of a tree; null where parsing the text does not give the tree again. */
export function reproduce(tree: Node, grammar: Grammar): string | null {
  try {
    const text = deparseSync(tree);
    const statements = grammar(text).stmts ?? [];
    const [only] = statements;
    return statements.length === 1 && sameTree(only?.stmt, tree) ? text : null;
  } catch (error) {
    // A deparser that gives up and a text that does not parse are one answer; a broken parser is not.
    if (error instanceof Error && error.name === 'RuntimeError') throw error;
    return null;
  }
}
