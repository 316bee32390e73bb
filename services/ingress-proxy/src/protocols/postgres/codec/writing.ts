/** Builds one message: type byte, length, fields. */
export function message(type: string, ...fields: readonly Buffer[]): Buffer {
  const length = fields.reduce((sum, field) => sum + field.length, 4);
  const head = Buffer.allocUnsafe(5);
  head.writeUInt8(type.charCodeAt(0), 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, ...fields], length + 1);
}

/** A NUL-terminated string. */
export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`, 'utf8');
}

export function int32(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeInt32BE(value, 0);
  return buffer;
}

export function uint32(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeUInt32BE(value, 0);
  return buffer;
}

export function int16(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(2);
  buffer.writeUInt16BE(value, 0);
  return buffer;
}

/** A value with its length, -1 for NULL. */
export function cell(value: Uint8Array | null): Buffer {
  if (value === null) return int32(-1);
  return Buffer.concat([int32(value.length), value]);
}
