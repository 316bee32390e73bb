import type { RangeVar } from '@pgsql/types';
import type { Column, Relation } from '../catalogue/index.js';
import type { Mask } from '../strategies/index.js';
import type { Sensitive } from './context.js';

/** One place in a statement where a relation stands. */
export interface Reference {
  readonly node: RangeVar;
  readonly relation: Relation;
  /** Whether rows are written there, so that it cannot become a subquery. */
  readonly target: boolean;
  /** By column name: the columns with labelled values. */
  readonly cells: ReadonlyMap<string, Cell>;
}

/** Whether any of its columns is masked. */
export function isMasked(reference: Reference): boolean {
  return [...reference.cells.values()].some(({ mask }) => mask.treatment !== 'open');
}

/** One column with labelled values in one reference to a relation. */
export interface Cell {
  readonly reference: Reference;
  readonly column: Column;
  readonly sensitive: Sensitive;
  /** The one label of a bare column, or null. */
  readonly label: string | null;
  readonly mask: Mask;
}

/** What an expression's value depends on. */
export interface Flow {
  /** Cells that enter the value. */
  readonly cells: ReadonlySet<Cell>;
  /** Whether the value is that of one of these cells itself. All of them then have the same label. */
  readonly bare: boolean;
  /** Cells of which only whether they are null enters the value. */
  readonly nulls: ReadonlySet<Cell>;
}

const EMPTY: ReadonlySet<Cell> = new Set();
export const NONE: Flow = { cells: EMPTY, bare: false, nulls: EMPTY };

export function ofCell(cell: Cell): Flow {
  return { cells: new Set([cell]), bare: true, nulls: EMPTY };
}

/** A value that depends on whether a bare value is null, and on nothing else. */
export function nullsOf(flow: Flow): Flow {
  return { cells: EMPTY, bare: false, nulls: new Set([...flow.nulls, ...flow.cells]) };
}

export function union(flows: readonly Flow[]): Flow {
  const filled = flows.filter(({ cells, nulls }) => cells.size + nulls.size > 0);
  const [first] = filled;
  if (first === undefined) return NONE;
  return {
    cells: new Set(filled.flatMap(({ cells }) => [...cells])),
    bare: false,
    nulls: new Set(filled.flatMap(({ nulls }) => [...nulls])),
  };
}

export function sameFlow(left: Flow, right: Flow): boolean {
  return (
    left.bare === right.bare &&
    left.cells.size === right.cells.size &&
    left.nulls.size === right.nulls.size &&
    [...left.cells].every((cell) => right.cells.has(cell))
  );
}

/** The one label of a bare flow whose cells may all still be surrogates; null otherwise. */
export function surrogateLabel(flow: Flow): string | null {
  if (!flow.bare) return null;
  const labels = new Set([...flow.cells].map(({ label }) => label));
  const [label] = labels;
  const raw = [...flow.cells].every(({ mask }) => mask.treatment === 'raw');
  return raw && labels.size === 1 && typeof label === 'string' ? label : null;
}
