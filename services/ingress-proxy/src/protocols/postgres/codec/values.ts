import { decodeText } from './cursor.js';

/** Types whose binary form can be read as text here, by OID (pg_type.dat): their names, and how. */
const types = new Map<number, { readonly name: string; readonly read: (bytes: Buffer) => string | null }>([
  [16, { name: 'bool', read: readBoolean }],
  [17, { name: 'bytea', read: (bytes) => `\\x${bytes.toString('hex')}` }],
  [18, { name: 'char', read: decodeText }],
  [19, { name: 'name', read: decodeText }],
  [20, { name: 'int8', read: sized(8, (bytes) => String(bytes.readBigInt64BE(0))) }],
  [21, { name: 'int2', read: sized(2, (bytes) => String(bytes.readInt16BE(0))) }],
  [23, { name: 'int4', read: sized(4, (bytes) => String(bytes.readInt32BE(0))) }],
  [25, { name: 'text', read: decodeText }],
  [26, { name: 'oid', read: sized(4, (bytes) => String(bytes.readUInt32BE(0))) }],
  [114, { name: 'json', read: decodeText }],
  [700, { name: 'float4', read: sized(4, (bytes) => readFloat(bytes, bytes.readFloatBE(0))) }],
  [701, { name: 'float8', read: sized(8, (bytes) => readFloat(bytes, bytes.readDoubleBE(0))) }],
  [1042, { name: 'bpchar', read: decodeText }],
  [1043, { name: 'varchar', read: decodeText }],
  [1082, { name: 'date', read: sized(4, readDate) }],
  [1114, { name: 'timestamp', read: sized(8, (bytes) => readTimestamp(bytes, '')) }],
  [1184, { name: 'timestamptz', read: sized(8, (bytes) => readTimestamp(bytes, '+00')) }],
  [1700, { name: 'numeric', read: readNumeric }],
  [2950, { name: 'uuid', read: sized(16, readUuid) }],
  // The first byte is the version of the form, which has been 1 since there is one.
  [3802, { name: 'jsonb', read: (bytes) => (bytes[0] === 1 ? decodeText(bytes.subarray(1)) : null) }],
]);

/** Types whose text and binary forms are the same bytes. */
const SAME_IN_BOTH: readonly number[] = [18, 19, 25, 114, 1042, 1043];

/** OID of `text`. */
export const TEXT_TYPE = 25;

/**
 * The text of a value in binary form, as PostgreSQL casts it with the settings of a session here; null where the type
 * is not known here or the bytes are no value of it. Different bytes never have the same text.
 */
export function textOfBinary(type: number, bytes: Buffer): string | null {
  return types.get(type)?.read(bytes) ?? null;
}

export function nameOfType(type: number): string {
  if (type === 0) return 'a type that the target infers';
  return types.get(type)?.name ?? `type ${type}`;
}

/** Whether values of a type may be replaced by any text, in either form. */
export function isTextual(type: number): boolean {
  return SAME_IN_BOTH.includes(type);
}

function sized(length: number, read: (bytes: Buffer) => string | null): (bytes: Buffer) => string | null {
  return (bytes) => (bytes.length === length ? read(bytes) : null);
}

function readBoolean(bytes: Buffer): string | null {
  if (bytes.length !== 1) return null;
  return bytes[0] === 1 ? 'true' : bytes[0] === 0 ? 'false' : null;
}

/** Of the many bit patterns that are no number only the usual one has a text. */
function readFloat(bytes: Buffer, value: number): string | null {
  if (!Number.isNaN(value)) return Object.is(value, -0) ? '-0' : String(value);
  return /^7f(c00000|f8000000000000)$/.test(bytes.toString('hex')) ? 'NaN' : null;
}

const MILLISECONDS_A_DAY = 86_400_000;
/** PostgreSQL counts from 2000-01-01. */
const EPOCH = Date.UTC(2000, 0, 1);

function readDate(bytes: Buffer): string | null {
  const days = bytes.readInt32BE(0);
  if (days === 0x7fffffff) return 'infinity';
  if (days === -0x80000000) return '-infinity';
  return isoOf(EPOCH + days * MILLISECONDS_A_DAY)?.slice(0, 10) ?? null;
}

function readTimestamp(bytes: Buffer, zone: string): string | null {
  const microseconds = bytes.readBigInt64BE(0);
  if (microseconds === 0x7fffffffffffffffn) return 'infinity';
  if (microseconds === -0x8000000000000000n) return '-infinity';
  const fraction = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const iso = isoOf(EPOCH + Number((microseconds - fraction) / 1000n));
  if (iso === null) return null;
  const digits = fraction === 0n ? '' : `.${String(fraction).padStart(6, '0').replace(/0+$/, '')}`;
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${digits}${zone}`;
}

/** Null outside the years 1 to 9999, which are written otherwise. */
function isoOf(milliseconds: number): string | null {
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() < 1 || date.getUTCFullYear() > 9999) return null;
  return date.toISOString();
}

function readUuid(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Base 10,000 digits behind count, weight, sign and scale (numeric_send in numeric.c). Only the canonical form has a text. */
function readNumeric(bytes: Buffer): string | null {
  if (bytes.length < 8) return null;
  const [count, weight] = [bytes.readUInt16BE(0), bytes.readInt16BE(2)];
  const [sign, scale] = [bytes.readUInt16BE(4), bytes.readUInt16BE(6)];
  if (bytes.length !== 8 + 2 * count) return null;
  if (sign !== 0 && sign !== 0x4000) return null;
  const digits = Array.from({ length: count }, (_, index) => bytes.readUInt16BE(8 + 2 * index));
  if (digits.some((digit) => digit > 9999) || digits[0] === 0 || digits.at(-1) === 0) return null;
  if (count === 0 && (sign !== 0 || weight !== 0)) return null;
  const group = (place: number): string => String(digits[weight - place] ?? 0).padStart(4, '0');
  const highest = Math.max(weight, 0);
  const whole = Array.from({ length: highest + 1 }, (_, index) => group(highest - index));
  const groups = Math.ceil(scale / 4);
  // Digits behind the scale would be lost in the text.
  if (count > 0 && count - 1 - weight > groups) return null;
  const fraction = Array.from({ length: groups }, (_, index) => group(-1 - index)).join('');
  if (/[1-9]/.test(fraction.slice(scale))) return null;
  const integer = whole.join('').replace(/^0+(?=\d)/, '');
  return `${sign === 0 ? '' : '-'}${integer}${scale === 0 ? '' : `.${fraction.slice(0, scale)}`}`;
}
