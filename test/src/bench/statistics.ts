/** Middle of a list of numbers; the mean of the two in the middle where there are two. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper;
}

/** The value below which `part` (0 to 1) of an ascending list lies. */
export function quantile(ascending: readonly number[] | Float64Array, part: number): number {
  const index = Math.min(ascending.length - 1, Math.floor(ascending.length * part));
  return ascending[index] ?? Number.NaN;
}

/** Three significant digits: more would only look exact. */
export function significant(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(3)) : value;
}
