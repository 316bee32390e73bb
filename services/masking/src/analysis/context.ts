import type { Catalogue } from '../catalogue/index.js';
import type { Labels } from '../labels/index.js';

/** A labelled column from which a value comes. */
export interface Source {
  readonly label: string;
  /** `schema.relation.column` as labelled. */
  readonly column: string;
}

/** What is known of a column that holds labelled values. */
export interface Sensitive {
  readonly sources: readonly Source[];
  /** Whether the column holds values of the one label themselves, not something computed from them. */
  readonly bare: boolean;
}

export interface RelationLabels {
  /** By column name. */
  readonly columns: Readonly<Record<string, Sensitive>>;
  /** Of a view: labelled columns that decide which rows it has. */
  readonly shape: readonly Source[];
  /** Of a view: whether its definition was understood. */
  readonly understood: boolean;
}

export interface RoutineFact {
  /** Whether it computes from its arguments and unlabelled columns alone, by means that are understood. */
  readonly clean: boolean;
  readonly sources: readonly Source[];
}

/** All that analysis rests on for one target. Plain data: it crosses to worker threads and is digested. */
export interface TargetContext {
  readonly target: string;
  readonly catalogue: Catalogue;
  readonly labels: Labels;
  /** By `schema.name`; relations without labels are absent. */
  readonly relations: Readonly<Record<string, RelationLabels>>;
  /** By `schema.name`. */
  readonly routines: Readonly<Record<string, RoutineFact>>;
  /** "sha256:<hex>" of catalogue, labels and the version of the analysis. */
  readonly digest: string;
}
