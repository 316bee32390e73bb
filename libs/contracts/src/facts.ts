/** The vocabulary of facts: what analysis knows of an action without running it. */

export const verbs = [
  'read',
  'insert',
  'update',
  'delete',
  'truncate',
  'merge',
  'ddl',
  'privilege',
  'settings',
] as const;
export type Verb = (typeof verbs)[number];

export const risks = [
  'ddl',
  'privilege',
  'role-change',
  'settings',
  'software-install',
  'program',
  'file',
  'network',
  'large-object',
  'lock',
  'copy-in',
  'copy-out',
  'transaction',
  'sequence',
  'unbounded-write',
  'always-true-predicate',
  'several-statements',
  'dynamic-sql',
  'unparsable',
  'too-large',
] as const;
export type Risk = (typeof risks)[number];

/** What a target speaks. */
export type Protocol = 'postgresql' | 'http';

/** One object of the target's catalogue that an action names. Objects the catalogue lacks are counted, not named. */
export interface ObjectFact {
  /** Name as the catalogue has it: `shop.customers`; of an HTTP target, as its operations are declared. */
  readonly name: string;
  readonly kind:
    | 'table'
    | 'view'
    | 'materialized-view'
    | 'function'
    | 'sequence'
    | 'type'
    | 'schema'
    | 'resource'
    | 'other';
  /** What is done to it, sorted. */
  readonly verbs: readonly Verb[];
}

/** A labelled column or field that an action touches. */
export interface LabelFact {
  readonly label: string;
  /** As labelled: `schema.relation.column`, or an operation and a JSON pointer, `GET /patients#/0/email`. */
  readonly column: string;
  /** Sorted: where its value matters. `other` is everything that is neither a bare output nor a write. */
  readonly uses: readonly ('output' | 'predicate' | 'write' | 'other')[];
}

export interface Facts {
  readonly version: 1;
  readonly protocol: Protocol;
  /** Number of statements in the message, 0 for an empty one; a request is one. */
  readonly statements: number;
  /** Node tag of the first statement in PostgreSQL's grammar, `SelectStmt`; `none` if empty or unparsable. A request's method. */
  readonly kind: string;
  /** What a transaction statement does; null for all others. */
  readonly transaction:
    | 'begin'
    | 'commit'
    | 'rollback'
    | 'savepoint'
    | 'release'
    | 'rollback-to'
    | 'other'
    | null;
  /** Sorted, without repetition. */
  readonly verbs: readonly Verb[];
  /** Sorted, without repetition. */
  readonly risks: readonly Risk[];
  /** Sorted by name. */
  readonly objects: readonly ObjectFact[];
  /** How many relations, functions, operations or parameters are named that the catalogue lacks. */
  readonly unknownObjects: number;
  /** Sorted by column. */
  readonly labels: readonly LabelFact[];
  readonly parameters: { readonly count: number };
}

/** The facts of what cannot be parsed or is too large: such a risk comes alone. */
export function opaqueFacts(risk: 'unparsable' | 'too-large'): Facts {
  return {
    version: 1,
    protocol: 'postgresql',
    statements: 0,
    kind: 'none',
    transaction: null,
    verbs: [],
    risks: [risk],
    objects: [],
    unknownObjects: 0,
    labels: [],
    parameters: { count: 0 },
  };
}
