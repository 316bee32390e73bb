const TEXT = 25;
const BYTEA = 17;

/**
 * A one-dimensional array in PostgreSQL's binary format (`array_recv`): dimensions, null flag, element type, length,
 * lower bound, then each element behind its length. Half the bytes of the text form for bytea, and no escaping.
 */
function encodeArray(type: number, values: readonly (Uint8Array | null)[]): Buffer {
  const empty = values.length === 0;
  let size = empty ? 12 : 20;
  for (const value of values) size += 4 + (value?.length ?? 0);
  const buffer = Buffer.allocUnsafe(size);
  let at = buffer.writeInt32BE(empty ? 0 : 1, 0);
  at = buffer.writeInt32BE(values.includes(null) ? 1 : 0, at);
  at = buffer.writeInt32BE(type, at);
  if (empty) return buffer;
  at = buffer.writeInt32BE(values.length, at);
  at = buffer.writeInt32BE(1, at);
  for (const value of values) {
    at = buffer.writeInt32BE(value === null ? -1 : value.length, at);
    if (value === null) continue;
    buffer.set(value, at);
    at += value.length;
  }
  return buffer;
}

export const encodeByteaArray = (values: readonly (Uint8Array | null)[]): Buffer =>
  encodeArray(BYTEA, values);

export const encodeTextArray = (values: readonly string[]): Buffer =>
  encodeArray(
    TEXT,
    values.map((value) => Buffer.from(value, 'utf8')),
  );
