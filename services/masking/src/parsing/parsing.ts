import type { Node } from '../tree/index.js';
import { sizeOf } from '../tree/index.js';

/** Largest statement in UTF-8 bytes. */
export const STATEMENT_BYTES = 1024 * 1024;
/** Deepest tree, in levels of its JSON form: an operand costs two. Keeps every recursive walk far from the stack's end. */
export const TREE_LEVELS = 1200;
/**
 * Most objects in a tree. A statement at the size limit can have ten times as many, which a thread's heap holds once,
 * but not again for each step of the rewrite: and a heap that is full ends the process, not the thread.
 */
export const TREE_OBJECTS = 400_000;

export type Parsed =
  | { readonly kind: 'parsed'; readonly statements: readonly Node[] }
  | { readonly kind: 'unparsable' }
  | { readonly kind: 'too-large'; readonly poisoned: boolean };

/** PostgreSQL's own grammar. A SyntaxError is a statement that it refuses; anything else thrown has broken the parser. */
export type Grammar = (text: string) => { readonly stmts?: readonly { readonly stmt?: Node }[] };

/** Whether a string holds what UTF-8 text cannot: a NUL (which ends it for C) or half a surrogate pair. */
export function isText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/**
 * Parses one message. What is too large or too deep is said to be so and nothing else is known of it;
 * `poisoned` means that the parser instance must not be used again.
 */
export function parseMessage(grammar: Grammar, text: string): Parsed {
  if (!isText(text)) return { kind: 'unparsable' };
  if (Buffer.byteLength(text) > STATEMENT_BYTES) return { kind: 'too-large', poisoned: false };
  if (text.trim() === '') return { kind: 'parsed', statements: [] };
  let statements: Node[];
  try {
    statements = (grammar(text).stmts ?? []).flatMap(({ stmt }) => (stmt === undefined ? [] : [stmt]));
  } catch (error) {
    if (error instanceof SyntaxError)
      return error.message === EXHAUSTED ? { kind: 'too-large', poisoned: false } : { kind: 'unparsable' };
    return { kind: 'too-large', poisoned: true };
  }
  const { levels, objects } = sizeOf(statements, { levels: TREE_LEVELS, objects: TREE_OBJECTS });
  if (levels > TREE_LEVELS || objects > TREE_OBJECTS) return { kind: 'too-large', poisoned: false };
  return { kind: 'parsed', statements };
}

/** Message of the SyntaxError by which a grammar says that its stack was too small. */
export const EXHAUSTED = 'exhausted';
