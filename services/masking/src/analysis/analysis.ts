import type { RangeVar, ReturningClause, SelectStmt } from '@pgsql/types';
import { type Relation, relationKey } from '../catalogue/index.js';
import type { Mask } from '../strategies/index.js';
import type { Node } from '../tree/index.js';
import type { Sensitive, Source, TargetContext } from './context.js';
import { type Cell, type Flow, isMasked, NONE, type Reference, union } from './flow.js';
import { lookupOf, notUnderstood, type Problem, wayOf } from './problem.js';
import type { Output, Scope } from './scope.js';

/** Where a labelled value matters, as facts tell it. */
export type Use = 'output' | 'predicate' | 'write' | 'other';

export interface AnalysisOptions {
  /** What the profile does with a column. */
  readonly mask: (sensitive: Sensitive, column: Relation['columns'][number]) => Mask;
  readonly lookups: ReadonlySet<string>;
  /** Names of a routine's arguments, when its body is analysed. */
  readonly argumentNames: ReadonlySet<string>;
}

/** A place where values decide the shape of the answer. Judged at the end, when it is known which cells stayed raw. */
interface Check {
  readonly flow: Flow;
  readonly clause: string;
  /** Whether only equality of the values decides. */
  readonly equality: boolean;
}

/** One entry of a RETURNING list; `cell` is the masked column that it is, whose mask takes its place. */
export interface Returned {
  readonly node: Node;
  readonly cell: Cell | null;
}

export type Evaluate = (node: Node, scope: Scope, use: Use) => Output;

/** What one walk over one statement gathers. */
export class Analysis {
  readonly references = new Map<RangeVar, Reference>();
  /** Other objects that are read: routines by `schema.name`. */
  readonly routines = new Set<string>();
  readonly uses = new Map<string, { readonly source: Source; readonly uses: Set<Use> }>();
  readonly problems: Problem[] = [];
  readonly checks: Check[] = [];
  /** Surrogate cells that enter a computation, so that the database must redact them. */
  readonly degraded = new Set<Cell>();
  /** Cells that are named anywhere. */
  readonly named = new Set<Cell>();
  /** Members to change in the tree: qualified names, widened GROUP BY. */
  readonly patches = new Map<object, Record<string, unknown>>();
  /** GROUP BY items to add to a SELECT, as `table.column`. */
  readonly grouped = new Map<SelectStmt, readonly (readonly [string, string])[]>();
  /** RETURNING lists in which masks take the place of columns, stars written out. */
  readonly returned = new Map<ReturningClause, readonly Returned[]>();
  readonly unknown = new Set<object>();
  /** Places of relation names that the walk came by. */
  readonly visited = new Set<object>();
  /** Above 0 inside a statement that writes. */
  writing = 0;
  /** Whether a column alone is an entry of RETURNING: of the rows that are written, its mask can be told. */
  returning = false;

  constructor(
    readonly context: TargetContext,
    readonly options: AnalysisOptions,
    /** Analyses a nested statement; set by the walk, so that files need not import one another in a circle. */
    readonly evaluate: Evaluate,
  ) {}

  problem(problem: Problem): void {
    this.problems.push(problem);
  }

  refuse(what: string, wayOut?: string): void {
    this.problems.push(notUnderstood(what, wayOut));
  }

  /** The reference that a node makes; walking a node twice (recursive queries) makes one. */
  refer(node: RangeVar, relation: Relation, target: boolean): Reference {
    const known = this.references.get(node);
    if (known !== undefined) return known;
    const labelled = this.context.relations[relationKey(relation.schema, relation.name)];
    const cells = new Map<string, Cell>();
    const reference: Reference = { node, relation, target, cells };
    for (const column of relation.columns) {
      // A column may be called like a member of every object.
      if (labelled === undefined || !Object.hasOwn(labelled.columns, column.name)) continue;
      const sensitive = labelled.columns[column.name];
      if (sensitive === undefined) continue;
      const label = sensitive.bare ? (sensitive.sources[0]?.label ?? null) : null;
      cells.set(column.name, {
        reference,
        column,
        sensitive,
        label,
        mask: this.options.mask(sensitive, column),
      });
    }
    this.references.set(node, reference);
    return reference;
  }

  use(source: Source, use: Use): void {
    const entry = this.uses.get(source.column) ?? { source, uses: new Set<Use>() };
    entry.uses.add(use);
    this.uses.set(source.column, entry);
  }

  /** Notes that a value is named. In a write, a masked value may not be: returns what may be computed with. */
  touch(flow: Flow, use: Use): Flow {
    let allowed = true;
    for (const cell of flow.cells) {
      this.named.add(cell);
      for (const source of cell.sensitive.sources) this.use(source, use);
      if (this.writing === 0 || cell.mask.treatment === 'open') continue;
      const grantable = use === 'predicate' && cell.reference.target && cell.label !== null;
      if (grantable && this.options.lookups.has(cell.label ?? '')) allowed = false;
      else if (!this.returning || !cell.reference.target) this.problem(this.writeProblem(cell, grantable));
    }
    return allowed ? flow : NONE;
  }

  /** What a RETURNING list holds of masked columns, and cannot be given as their masks. */
  refuseReturned(flow: Flow): void {
    for (const cell of flow.cells)
      if (cell.mask.treatment !== 'open') this.problem(this.writeProblem(cell, false));
  }

  /** The flow of a value that is computed from others. Surrogates cannot be computed with. */
  computed(flows: readonly Flow[]): Flow {
    const flow = union(flows);
    for (const cell of flow.cells) if (cell.mask.treatment === 'raw') this.degraded.add(cell);
    return flow;
  }

  check(flow: Flow, clause: string, equality = false): void {
    if (flow.cells.size + flow.nulls.size > 0) this.checks.push({ flow, clause, equality });
  }

  /** Whether a cell leaves the database as it is, to be replaced at release. */
  isRaw(cell: Cell): boolean {
    return cell.mask.treatment === 'raw' && this.named.has(cell) && !this.degraded.has(cell);
  }

  /** Refuses what would mislead; call once, after the walk. */
  judge(): void {
    for (const { flow, clause, equality } of this.checks) {
      for (const cell of flow.cells) {
        const { treatment } = cell.mask;
        if (treatment === 'open' || treatment === 'meaningful') continue;
        if (treatment === 'raw' && flow.bare && equality && this.isRaw(cell)) continue;
        this.problem(this.opaqueProblem(cell, clause, treatment === 'raw' && flow.bare && equality));
      }
      for (const cell of flow.nulls)
        if (!cell.mask.preservesNull && !this.isRaw(cell))
          this.problem(this.opaqueProblem(cell, clause, false));
    }
  }

  maskedReferences(): Reference[] {
    return [...this.references.values()].filter(isMasked);
  }

  /** Names of some columns whose values are treated so. */
  private columnsOf({ relation, cells }: Reference, treatment: 'open' | 'meaningful'): string {
    return relation.columns
      .filter(({ name }) => (cells.get(name)?.mask.treatment ?? 'open') === treatment)
      .slice(0, 8)
      .map(({ name }) => name)
      .join(', ');
  }

  private nameOf({ reference, column, sensitive }: Cell): string {
    const labels = [...new Set(sensitive.sources.map(({ label }) => label))].sort().join(', ');
    return `${reference.relation.schema}.${reference.relation.name}.${column.name} (${labels})`;
  }

  /** Profiles that show the label of a cell by one of these strategies. */
  private profilesWith({ label }: Cell, ...strategies: readonly string[]): string {
    const { profiles } = this.context.labels;
    return Object.keys(profiles)
      .filter((name) => label !== null && strategies.includes(profiles[name]?.[label]?.strategy ?? ''))
      .join(' or ');
  }

  /** What a statement that reads may do instead: what is open, what keeps meaning, another profile. */
  private wayToRead(cell: Cell, clause: string): string {
    const open = this.columnsOf(cell.reference, 'open');
    const meaningful = this.columnsOf(cell.reference, 'meaningful');
    const profiles = this.profilesWith(cell, 'keep', 'generalise');
    return wayOf([
      open === '' ? '' : `use columns that are not masked (${open})`,
      meaningful === '' ? '' : `use what masking leaves of others (${meaningful})`,
      profiles === '' ? '' : `ask for a role with the profile ${profiles}`,
      cell.label !== null && cell.mask.surrogate && clause === 'WHERE'
        ? `to compare for equality alone, ask for ${lookupOf(cell.label)}`
        : '',
    ]);
  }

  /** What a statement that writes may do instead. @param grantable whether a lookup of the label would allow it */
  private wayToWrite(cell: Cell, grantable: boolean): string {
    const open = this.columnsOf(cell.reference, 'open');
    const profiles = this.profilesWith(cell, 'keep');
    return wayOf([
      open === '' ? '' : `use columns that are not masked (${open})`,
      profiles === '' ? '' : `ask for a role with the profile ${profiles}`,
      grantable ? `ask for ${lookupOf(cell.label ?? '')}` : '',
    ]);
  }

  private opaqueProblem(cell: Cell, clause: string, degraded: boolean): Problem {
    return degraded
      ? {
          code: 'masking.surrogate_computed',
          reason: `${this.nameOf(cell)} is replaced by surrogates, which ${clause} could compare, but the statement also computes from it.`,
          wayOut:
            'Select, compare or count the column as it is; compute from it in no part of the statement.',
        }
      : {
          code: 'masking.opaque_predicate',
          reason: `${this.nameOf(cell)} is masked, so ${clause} would answer from masks.`,
          wayOut: this.wayToRead(cell, clause),
        };
  }

  private writeProblem(cell: Cell, grantable: boolean): Problem {
    return {
      code: 'masking.write_to_masked',
      reason: `The write reads or compares ${this.nameOf(cell)}, which is masked.`,
      wayOut: this.wayToWrite(cell, grantable),
    };
  }
}
