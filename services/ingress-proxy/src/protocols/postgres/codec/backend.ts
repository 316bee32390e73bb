import { Cursor } from './cursor.js';
import type { Frame, FrameRule, FramingRules } from './framing.js';
import { malformed } from './framing.js';
import type { Column, TransactionStatus } from './to-client.js';

/** Type bytes of a server's messages. */
export const backendTypes = {
  authentication: 0x52,
  backendKeyData: 0x4b,
  bindComplete: 0x32,
  closeComplete: 0x33,
  commandComplete: 0x43,
  copyData: 0x64,
  copyDone: 0x63,
  copyIn: 0x47,
  copyOut: 0x48,
  copyBoth: 0x57,
  dataRow: 0x44,
  emptyQuery: 0x49,
  error: 0x45,
  functionCall: 0x56,
  negotiate: 0x76,
  noData: 0x6e,
  notice: 0x4e,
  notification: 0x41,
  parameterDescription: 0x74,
  parameterStatus: 0x53,
  parseComplete: 0x31,
  portalSuspended: 0x73,
  ready: 0x5a,
  rowDescription: 0x54,
} as const;

const known = new Set<number>(Object.values(backendTypes));

/** @param maximumMessage bytes of the largest message (one row) that is read from a target */
export function targetRules(maximumMessage: number): FramingRules {
  const rule: FrameRule = { maximum: maximumMessage };
  return { ruleOf: (type) => (known.has(type) ? rule : null) };
}

/** Only what may be told onwards or acted upon; the rest of a report is never even decoded. */
export interface TargetReport {
  readonly severity: string;
  readonly sqlstate: string;
  readonly schema: string | null;
  readonly table: string | null;
  readonly column: string | null;
}

export function decodeReport(frame: Frame): TargetReport {
  const cursor = new Cursor(frame.body);
  const fields = new Map<string, string>();
  for (let letter = cursor.uint8(); letter !== 0; letter = cursor.uint8()) {
    fields.set(String.fromCharCode(letter), cursor.stringBytes().toString('utf8'));
  }
  const sqlstate = fields.get('C') ?? '';
  return {
    severity: fields.get('V') ?? fields.get('S') ?? 'ERROR',
    sqlstate: /^[0-9A-Z]{5}$/.test(sqlstate) ? sqlstate : 'XX000',
    schema: fields.get('s') ?? null,
    table: fields.get('t') ?? null,
    column: fields.get('c') ?? null,
  };
}

export function decodeRowDescription(frame: Frame): readonly Column[] {
  const cursor = new Cursor(frame.body);
  const columns = Array.from({ length: cursor.count() }, () => {
    return {
      name: cursor.stringBytes().toString('utf8'),
      table: cursor.uint32(),
      attribute: cursor.int16(),
      type: cursor.uint32(),
      typeLength: cursor.int16(),
      modifier: cursor.int32(),
      format: cursor.int16() === 1 ? 1 : 0,
    } as const;
  });
  cursor.end();
  return columns;
}

export function decodeDataRow(frame: Frame): (Buffer | null)[] {
  const cursor = new Cursor(frame.body);
  const cells = Array.from({ length: cursor.count() }, () => {
    const length = cursor.int32();
    return length === -1 ? null : cursor.bytes(length);
  });
  cursor.end();
  return cells;
}

/** Bytes of the values in a row message, without lengths. NULL has none. */
export function dataRowBytes(frame: Frame): number {
  return frame.body.length - 2 - 4 * frame.body.readUInt16BE(0);
}

export function decodeParameterDescription(frame: Frame): readonly number[] {
  const cursor = new Cursor(frame.body);
  const types = Array.from({ length: cursor.count() }, () => cursor.uint32());
  cursor.end();
  return types;
}

export function decodeParameterStatus(frame: Frame): { readonly name: string; readonly value: string } {
  const cursor = new Cursor(frame.body);
  const name = cursor.stringBytes().toString('utf8');
  const value = cursor.stringBytes().toString('utf8');
  cursor.end();
  return { name, value };
}

export function decodeBackendKey(frame: Frame): { readonly processId: number; readonly secret: Buffer } {
  const cursor = new Cursor(frame.body);
  const processId = cursor.uint32();
  return { processId, secret: cursor.bytes(cursor.left) };
}

export function decodeReady(frame: Frame): TransactionStatus {
  const status = frame.body.toString('latin1');
  if (status !== 'I' && status !== 'T' && status !== 'E')
    throw malformed('The transaction status is unknown.');
  return status;
}

export function decodeTag(frame: Frame): string {
  const cursor = new Cursor(frame.body);
  const tag = cursor.stringBytes().toString('utf8');
  cursor.end();
  return tag;
}

/** Rows of a command tag, `INSERT 0 5`, `SELECT 3`: its last word where that is a number. */
export function rowsOfTag(tag: string): number {
  const match = / (\d{1,15})$/.exec(tag);
  return match?.[1] === undefined ? 0 : Number(match[1]);
}

export type AuthenticationRequest =
  | { readonly kind: 'ok' }
  | { readonly kind: 'password' }
  | { readonly kind: 'sasl'; readonly mechanisms: readonly string[] }
  | { readonly kind: 'sasl-continue' | 'sasl-final'; readonly data: string }
  | { readonly kind: 'other'; readonly code: number };

export function decodeAuthentication(frame: Frame): AuthenticationRequest {
  const cursor = new Cursor(frame.body);
  const code = cursor.int32();
  if (code === 0) return { kind: 'ok' };
  if (code === 3) return { kind: 'password' };
  if (code === 10) {
    const mechanisms: string[] = [];
    for (let name = cursor.name(); name !== ''; name = cursor.name()) mechanisms.push(name);
    return { kind: 'sasl', mechanisms };
  }
  if (code === 11 || code === 12) {
    return { kind: code === 11 ? 'sasl-continue' : 'sasl-final', data: cursor.bytes(cursor.left).toString() };
  }
  return { kind: 'other', code };
}
