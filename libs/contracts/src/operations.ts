import type { Risk, Verb } from './facts.js';

/** One operation that an HTTP target offers to agents. What is not declared is refused. */
export interface Operation {
  /** Method and path template, which are its name: `GET /v1/patients/{patient}`. */
  readonly operation: string;
  /** What it works on, `clinic.patients`. */
  readonly object: string;
  readonly verbs: readonly Verb[];
  readonly risks: readonly Risk[];
  /** Names that the query may hold, and the label of what each is compared with; null for none. */
  readonly query: Readonly<Record<string, string | null>>;
  /** Labels of what variables of the template are compared with; those that are absent have none. */
  readonly path: Readonly<Record<string, string>>;
  /** Media types that a body may have; none where there may be no body. */
  readonly body: readonly string[];
  /** Labels of fields of its JSON answer by pointer (RFC 6901), where `*` stands for every item or member. */
  readonly labels: Readonly<Record<string, string>>;
  /** Pointer to the array whose items are counted as rows; null counts an answer as one. */
  readonly rows: string | null;
}

/** All of a request that its facts depend on. As RFC 8785 canonical JSON it is what analysis reads. */
export interface RequestShape {
  readonly version: 1;
  readonly method: string;
  /** Name of the declared operation; null where none is declared for method and path. */
  readonly operation: string | null;
  /** Names in the query, sorted. */
  readonly query: readonly string[];
  /** Media type of the body, without parameters; null without a body. */
  readonly body: string | null;
}

/** What becomes of one field's values; `release` asks masking for each, since its keys never leave it. */
export type ReleaseStrategy =
  | { readonly strategy: 'redact' | 'null' }
  | { readonly strategy: 'release' }
  | { readonly strategy: 'partial'; readonly keepLast: number }
  | { readonly strategy: 'generalise'; readonly to: 'year' | '/16' };

/** What must be done to an operation's answer before an agent sees it. */
export interface ReleasePlan {
  readonly version: 1;
  /** In the order of the pointers; the position is that of a released column. */
  readonly fields: readonly ({ readonly pointer: string } & ReleaseStrategy)[];
  readonly rows: string | null;
}
