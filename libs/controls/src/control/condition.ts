import type { JsonValue, RecordContent } from '../record/index.js';

type Scalar = string | number | boolean | null;

/**
 * A pure question about one record. `field` is a path into the record, `data.risks`; what is absent counts as null.
 *
 * - `is`, `in`: the field equals a value, or one of several
 * - `has`: the field is a list that holds one of the values
 * - `present`: the field is neither null nor an empty list or text (or, if false, is)
 * - `differs`: both fields are present and unequal
 */
export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly field: string; readonly is: Scalar }
  | { readonly field: string; readonly in: readonly Scalar[] }
  | { readonly field: string; readonly has: readonly Scalar[] }
  | { readonly field: string; readonly present: boolean }
  | { readonly field: string; readonly differs: string };

/**
 * Whether a record meets a condition.
 * @throws TypeError for a condition outside the language, which is a mistake in the control data.
 */
export function meets(record: RecordContent, condition: Condition): boolean {
  if ('all' in condition) return condition.all.every((part) => meets(record, part));
  if ('any' in condition) return condition.any.some((part) => meets(record, part));
  if ('not' in condition) return !meets(record, condition.not);
  const value = fieldOf(record, condition.field);
  if ('is' in condition) return value === condition.is;
  if ('in' in condition) return condition.in.some((wanted) => value === wanted);
  if ('has' in condition)
    return Array.isArray(value) && condition.has.some((wanted) => value.includes(wanted));
  if ('present' in condition) return isPresent(value) === condition.present;
  if ('differs' in condition) {
    const other = fieldOf(record, condition.differs);
    return isPresent(value) && isPresent(other) && value !== other;
  }
  throw new TypeError('A condition is outside the language of conditions.');
}

/** The value at a path; null where any part of the path is absent. */
export function fieldOf(record: RecordContent, path: string): JsonValue {
  let value: unknown = record;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return null;
    value = (value as Record<string, unknown>)[name];
  }
  return (value ?? null) as JsonValue;
}

function isPresent(value: JsonValue): boolean {
  return value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);
}
