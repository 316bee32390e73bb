/** What a target's catalogue says, as plain data: it crosses to worker threads and is digested. */
export interface Catalogue {
  /** server_version_num. */
  readonly serverVersion: number;
  /** Schemas in the order in which names are looked up, pg_catalog included. */
  readonly searchPath: readonly string[];
  readonly schemas: readonly string[];
  /** By `schema.name`. */
  readonly relations: Readonly<Record<string, Relation>>;
  /** Routines outside pg_catalog and information_schema, by `schema.name`; overloads share an entry. */
  readonly routines: Readonly<Record<string, readonly Routine[]>>;
  /** Names of the functions in pg_catalog. */
  readonly builtins: readonly string[];
  /** Names of operators outside pg_catalog that are written in SQL or another language of the server. */
  readonly operators: readonly string[];
  /** By `schema.name`. */
  readonly types: Readonly<Record<string, TypeFact>>;
}

export type RelationKind =
  | 'table'
  | 'view'
  | 'materialized-view'
  | 'foreign-table'
  | 'sequence'
  | 'composite';

export interface Relation {
  readonly schema: string;
  readonly name: string;
  readonly kind: RelationKind;
  readonly columns: readonly Column[];
  readonly primaryKey: readonly string[] | null;
  /** Columns that a unique, exclusion or foreign key constraint or a unique index compares with other rows. */
  readonly compared: readonly (readonly string[])[];
  /** Foreign keys of other tables that refer to this one. */
  readonly referenced: readonly Referrer[];
  /** Columns that each CHECK constraint, generated column and computed index reads: what is written may fail by them. */
  readonly checks: readonly (readonly string[])[];
  /** Expressions by which rows go to its partitions. */
  readonly partitionKeys: readonly string[];
  /** Expressions of row security, which decide which rows are there. */
  readonly policies: readonly string[];
  readonly triggers: readonly Trigger[];
  /** Whether a rule other than a view's own rewrites statements on it. */
  readonly rules: boolean;
  /** `schema.name` of inheritance parents and of the partitioned table. */
  readonly parents: readonly string[];
  /** `schema.name` of routines that its constraints, defaults and indexes call. */
  readonly calls: readonly string[];
  /** A view's query as PostgreSQL prints it. */
  readonly definition: string | null;
}

export interface Referrer {
  /** Own columns that are referred to. */
  readonly columns: readonly string[];
  /** `schema.name` of the table that refers. */
  readonly by: string;
  /** Its columns that refer, in the order of `columns`. */
  readonly from: readonly string[];
  /** Whether a DELETE or UPDATE here changes rows there. */
  readonly cascades: boolean;
}

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly notNull: boolean;
  /** Expression of a generated column. */
  readonly generated: string | null;
}

export interface ColumnType {
  /** Type as SQL names it, with modifiers: `character varying(20)`; user types are qualified. */
  readonly sql: string;
  /** `schema.name` in Catalogue.types. */
  readonly name: string;
  /** Quoted, qualified collation where it is not the type's own. */
  readonly collation: string | null;
  /** False where different strings may be equal. */
  readonly deterministic: boolean;
}

export interface TypeFact {
  readonly kind: 'base' | 'composite' | 'domain' | 'enum' | 'range' | 'multirange' | 'pseudo';
  /** Base type of a domain, with modifiers. */
  readonly base: { readonly sql: string; readonly name: string } | null;
  /** `schema.name` of routines that checks of it and casts to or from it call, through the types it is made of too. */
  readonly calls: readonly string[];
  /** Element type of an array. */
  readonly element: { readonly sql: string; readonly name: string } | null;
}

export interface Trigger {
  readonly events: readonly ('insert' | 'update' | 'delete' | 'truncate')[];
  /** Columns of UPDATE OF; empty for all. */
  readonly columns: readonly string[];
}

export interface Routine {
  readonly kind: 'function' | 'procedure' | 'aggregate' | 'window';
  readonly language: string;
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  readonly definer: boolean;
  /** Whether it has settings of its own (SET search_path …). */
  readonly settings: boolean;
  readonly argumentNames: readonly string[];
  /** Names of result columns; empty for a plain value. */
  readonly resultColumns: readonly string[];
  /** Body of a routine written in SQL as a string; null otherwise. */
  readonly body: string | null;
}

export function relationKey(schema: string, name: string): string {
  return `${schema}.${name}`;
}
