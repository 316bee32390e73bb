import { CountersignError } from '@countersign/errors';
import type { Release } from '../../../gate/index.js';
import { type Column, isTextual, TEXT_TYPE, textOfBinary } from '../codec/index.js';

/**
 * What is told of columns. Where masking changed the statement, not where they come from. A column that is replaced at
 * release holds text, whatever the target has there: it is told as such, and its text is the same bytes in both forms.
 */
export function toldColumns(
  columns: readonly Column[],
  release: Pick<Release, 'masked' | 'columns'>,
): readonly Column[] {
  if (!release.masked) return columns;
  return columns.map((column, index) => {
    const told = { ...column, table: 0, attribute: 0 };
    if (!release.columns.includes(index)) return told;
    return { ...told, type: isTextual(column.type) ? column.type : TEXT_TYPE, typeLength: -1, modifier: -1 };
  });
}

/**
 * The text of a value that is to be replaced. Equal values must be equal texts in both forms, or their stand-ins would
 * differ.
 * @throws CountersignError protocol.unsupported where the binary form of a type cannot be read
 */
export function releasable(value: Buffer, column: Column | undefined): Uint8Array {
  if (column === undefined) throw new CountersignError('masking.not_reproducible');
  if (column.format === 0) return value;
  const text = textOfBinary(column.type, value);
  if (text === null) {
    const detail = 'A column that is replaced at release can be had as text only.';
    throw new CountersignError('protocol.unsupported', { detail });
  }
  return Buffer.from(text);
}
