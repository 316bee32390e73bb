import type { Flow, Reference } from './flow.js';

/** A column that an expression can name. */
export interface ScopeColumn {
  readonly name: string;
  readonly flow: Flow;
  /** Where it is a column of a relation directly: for functional dependency on a key. */
  readonly base: { readonly reference: Reference; readonly table: string; readonly column: string } | null;
  /** Why it may not be named, or null. */
  readonly hazard: string | null;
}

/** Columns of a nested statement, or of one item of FROM. */
export interface Output {
  readonly columns: readonly ScopeColumn[];
  /** False where there may be more columns than are known. */
  readonly complete: boolean;
  /** What any unknown column depends on. */
  readonly extra: Flow;
}

/** A table in FROM that can qualify names. */
export interface ScopeTable extends Output {
  readonly name: string;
  /** Its schema, where it has no alias, so that `schema.table.column` names it. */
  readonly schema: string | null;
  readonly reference: Reference | null;
}

/** One item of FROM: what `*` takes of it, and the tables that qualify names. */
export interface Item extends Output {
  readonly tables: readonly ScopeTable[];
}

/** A common table expression; null while it is being analysed and may not be named yet. */
export type Cte = Output | null;

export interface Scope {
  readonly items: readonly Item[];
  readonly ctes: ReadonlyMap<string, Cte>;
  readonly parent: Scope | null;
  /** Columns named at this level, for GROUP BY: written while the select list and what follows are analysed. */
  readonly named: Map<Reference, Map<string, string>> | null;
}

export function childScope(parent: Scope | null, items: readonly Item[] = []): Scope {
  return { items, ctes: new Map(), parent, named: null };
}

/** The innermost common table expression of a name; undefined where there is none. */
export function findCte(scope: Scope | null, name: string): Cte | undefined {
  for (let level = scope; level !== null; level = level.parent) {
    const cte = level.ctes.get(name);
    if (cte !== undefined) return cte;
  }
  return undefined;
}

/** An item of one table. */
export function itemOf(table: ScopeTable): Item {
  return { columns: table.columns, complete: table.complete, extra: table.extra, tables: [table] };
}

/** Columns renamed by an alias list, by position. */
export function renamed(output: Output, names: readonly string[]): Output {
  return {
    ...output,
    columns: [
      ...output.columns.map((column, index) => ({ ...column, name: names[index] ?? column.name })),
      // A function whose columns are unknown gets the names that the list gives.
      ...(output.complete ? [] : names.slice(output.columns.length)).map((name) => ({
        name,
        flow: output.extra,
        base: null,
        hazard: null,
      })),
    ],
  };
}
