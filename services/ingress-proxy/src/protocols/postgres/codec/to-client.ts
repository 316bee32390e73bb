import { cell, int16, int32, message, text, uint32 } from './writing.js';

/** Messages of a server to its client ("Message Formats", backend messages). */
export type TransactionStatus = 'I' | 'T' | 'E';

export interface ReportFields {
  readonly severity: 'ERROR' | 'FATAL' | 'NOTICE';
  readonly sqlstate: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  /** Where other servers name a source routine: the code of the catalogue, for programs. */
  readonly code?: string | undefined;
}

/** Form of values: text or binary. */
export type Format = 0 | 1;

export interface Column {
  readonly name: string;
  readonly table: number;
  readonly attribute: number;
  readonly type: number;
  readonly typeLength: number;
  readonly modifier: number;
  readonly format: Format;
}

export const authenticationOk = message('R', int32(0));
export const authenticationCleartext = message('R', int32(3));
export const parseComplete = message('1');
export const bindComplete = message('2');
export const closeComplete = message('3');
export const noData = message('n');
export const emptyQuery = message('I');
export const portalSuspended = message('s');

const ready: Readonly<Record<TransactionStatus, Buffer>> = {
  I: message('Z', Buffer.from('I')),
  T: message('Z', Buffer.from('T')),
  E: message('Z', Buffer.from('E')),
};

export function readyForQuery(status: TransactionStatus): Buffer {
  return ready[status];
}

export function parameterStatus(name: string, value: string): Buffer {
  return message('S', text(name), text(value));
}

export function backendKeyData(processId: number, secret: Buffer): Buffer {
  return message('K', uint32(processId), secret);
}

/** Says that only minor version 0 is spoken and names the protocol options that are not known. */
export function negotiateProtocolVersion(unknown: readonly string[]): Buffer {
  return message('v', int32(3 << 16), int32(unknown.length), ...unknown.map(text));
}

export function commandComplete(tag: string): Buffer {
  return message('C', text(tag));
}

export function parameterDescription(types: readonly number[]): Buffer {
  return message('t', int16(types.length), ...types.map(uint32));
}

export function rowDescription(columns: readonly Column[]): Buffer {
  const fields = columns.map((column) => {
    const numbers = Buffer.allocUnsafe(18);
    numbers.writeUInt32BE(column.table, 0);
    numbers.writeInt16BE(column.attribute, 4);
    numbers.writeUInt32BE(column.type, 6);
    numbers.writeInt16BE(column.typeLength, 10);
    numbers.writeInt32BE(column.modifier, 12);
    numbers.writeInt16BE(column.format, 16);
    return Buffer.concat([text(column.name), numbers]);
  });
  return message('T', int16(columns.length), ...fields);
}

export function dataRow(cells: readonly (Uint8Array | null)[]): Buffer {
  return message('D', int16(cells.length), ...cells.map(cell));
}

export function errorResponse(fields: ReportFields): Buffer {
  return report('E', fields);
}

export function noticeResponse(fields: ReportFields): Buffer {
  return report('N', fields);
}

function report(type: 'E' | 'N', fields: ReportFields): Buffer {
  const parts: readonly (readonly [string, string | undefined])[] = [
    ['S', fields.severity],
    ['V', fields.severity],
    ['C', fields.sqlstate],
    ['M', fields.message],
    ['D', fields.detail],
    ['H', fields.hint],
    ['s', fields.schema],
    ['t', fields.table],
    ['c', fields.column],
    ['R', fields.code],
  ];
  const present = parts.flatMap(([letter, value]) =>
    // A NUL would end the field early.
    value === undefined ? [] : [Buffer.from(letter), text(value.replaceAll('\0', ''))],
  );
  return message(type, ...present, Buffer.from([0]));
}
