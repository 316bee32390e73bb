import { createHash } from 'node:crypto';
import { Cursor, decodeText } from './cursor.js';
import { type AnyFrame, type FrameRule, type FramingRules, isDropped, malformed } from './framing.js';
import type { Format } from './to-client.js';

/** What a client may send after it was authenticated ("Message Formats", frontend messages). */
export type FrontendMessage =
  | { readonly kind: 'query'; readonly text: string }
  | {
      readonly kind: 'parse';
      readonly name: string;
      readonly text: string;
      readonly parameterTypes: readonly number[];
    }
  | BindMessage
  | { readonly kind: 'describe' | 'close'; readonly what: 'statement' | 'portal'; readonly name: string }
  | { readonly kind: 'execute'; readonly portal: string; readonly maximumRows: number }
  | { readonly kind: 'sync' | 'flush' | 'terminate' }
  | { readonly kind: 'password'; readonly bytes: Buffer }
  | { readonly kind: 'function-call'; readonly bytes: Buffer }
  | { readonly kind: 'copy' }
  /** A statement whose bytes are no text: it cannot be analysed, but it can be answered and recorded. */
  | { readonly kind: 'invalid-text'; readonly extended: boolean; readonly bytes: Buffer }
  | {
      readonly kind: 'oversized';
      readonly extended: boolean;
      readonly length: number;
      readonly sha256: string;
    };

export interface BindMessage {
  readonly kind: 'bind';
  readonly portal: string;
  readonly statement: string;
  readonly parameters: readonly (Buffer | null)[];
  /** One for each parameter, or none where all are text. */
  readonly parameterFormats: readonly Format[];
  /** As the protocol has them: none for text, one for all columns, or one for each. */
  readonly resultFormats: readonly Format[];
  /** Whether what is sent as text is text. */
  readonly validText: boolean;
}

const KINDS = {
  Q: 'query',
  P: 'parse',
  B: 'bind',
  D: 'describe',
  C: 'close',
  E: 'execute',
  S: 'sync',
  H: 'flush',
  X: 'terminate',
  F: 'function-call',
  d: 'copy',
  c: 'copy',
  f: 'copy',
} as const;
type Kind = (typeof KINDS)[keyof typeof KINDS];
const kindByType = new Map<number, Kind>(
  Object.entries(KINDS).map(([letter, kind]) => [letter.charCodeAt(0), kind]),
);
const PASSWORD = 'p'.charCodeAt(0);

/** Bytes beside the statement in a Query or Parse message: names, NULs, counts and types. */
const STATEMENT_SLACK = 4096;
const NAME_LIMIT = 1024;
/** The largest message of which the gateway will at least swallow the bytes to answer with a clean error. */
const DROP_LIMIT = 64 * 1024 * 1024;
const TOKEN_LIMIT = 16 * 1024;

/**
 * Rules after authentication.
 * @param maximumStatement bytes of one statement; parameters of one Bind may take as much again
 */
export function sessionRules(maximumStatement: number): FramingRules {
  const statement: FrameRule = {
    minimum: 1,
    maximum: maximumStatement + STATEMENT_SLACK,
    droppable: DROP_LIMIT,
  };
  const named: FrameRule = { minimum: 2, maximum: NAME_LIMIT };
  const bare: FrameRule = { maximum: 0 };
  const rules: Readonly<Record<Kind, FrameRule>> = {
    query: statement,
    parse: { ...statement, minimum: 4 },
    bind: { minimum: 8, maximum: maximumStatement + STATEMENT_SLACK, droppable: DROP_LIMIT },
    describe: named,
    close: named,
    execute: { minimum: 5, maximum: NAME_LIMIT },
    sync: bare,
    flush: bare,
    terminate: bare,
    'function-call': { maximum: maximumStatement, droppable: DROP_LIMIT },
    copy: { maximum: maximumStatement, droppable: DROP_LIMIT },
  };
  return {
    ruleOf: (type) => {
      const kind = kindByType.get(type);
      return kind === undefined ? null : rules[kind];
    },
  };
}

/** Rules while the gateway waits for the password: everything else is out of order. */
export const authenticationRules: FramingRules = {
  ruleOf: (type) =>
    type === PASSWORD
      ? { minimum: 1, maximum: TOKEN_LIMIT }
      : type === 'X'.charCodeAt(0)
        ? { maximum: 0 }
        : null,
};

/** Reads one message of an authenticated client. */
export function decodeFrontend(frame: AnyFrame, maximumStatement: number): FrontendMessage {
  const kind = kindByType.get(frame.type);
  if (isDropped(frame)) return decodeDropped(kind, frame.dropped);
  const cursor = new Cursor(frame.body);
  switch (kind) {
    case 'query':
      return decodeQuery(frame.body, maximumStatement);
    case 'parse':
      return decodeParse(cursor, frame.body, maximumStatement);
    case 'bind':
      return decodeBind(cursor);
    case 'describe':
    case 'close': {
      const what = whatOf(cursor.uint8());
      const name = cursor.name();
      cursor.end();
      return { kind, what, name };
    }
    case 'execute': {
      const portal = cursor.name();
      const maximumRows = cursor.int32();
      cursor.end();
      return { kind, portal, maximumRows };
    }
    case 'sync':
    case 'flush':
    case 'terminate':
      return { kind };
    case 'function-call':
      return { kind, bytes: frame.body };
    case 'copy':
      return { kind };
    default:
      if (frame.type === PASSWORD) return decodePassword(cursor);
      throw malformed('The type of a message is unknown.');
  }
}

function decodeDropped(
  kind: Kind | undefined,
  dropped: { readonly length: number; readonly sha256: string },
): FrontendMessage {
  if (kind === 'copy') return { kind };
  return { kind: 'oversized', extended: kind === 'parse' || kind === 'bind', ...dropped };
}

function decodePassword(cursor: Cursor): FrontendMessage {
  const bytes = cursor.stringBytes();
  cursor.end();
  return { kind: 'password', bytes };
}

function decodeQuery(body: Buffer, maximumStatement: number): FrontendMessage {
  const end = body.indexOf(0);
  if (end < 0) throw malformed('A string has no end.');
  // A NUL before the end would hide the rest from whoever reads strings as C does.
  const text = end === body.length - 1 ? decodeText(body.subarray(0, end)) : null;
  if (text === null) return { kind: 'invalid-text', extended: false, bytes: body };
  if (end > maximumStatement) return oversized(body.subarray(0, end), false);
  return { kind: 'query', text };
}

function decodeParse(cursor: Cursor, body: Buffer, maximumStatement: number): FrontendMessage {
  const name = cursor.name();
  const bytes = cursor.stringBytes();
  const count = cursor.count();
  // Where a NUL cut the text short, the counts that follow cannot be right.
  if (cursor.left !== count * 4) return { kind: 'invalid-text', extended: true, bytes: body };
  const parameterTypes = Array.from({ length: count }, () => cursor.uint32());
  cursor.end();
  const text = decodeText(bytes);
  if (text === null) return { kind: 'invalid-text', extended: true, bytes: body };
  if (bytes.length > maximumStatement) return oversized(bytes, true);
  return { kind: 'parse', name, text, parameterTypes };
}

function decodeBind(cursor: Cursor): FrontendMessage {
  const portal = cursor.name();
  const statement = cursor.name();
  const parameterFormats = Array.from({ length: cursor.count() }, () => formatOf(cursor.int16()));
  const parameters = Array.from({ length: cursor.count() }, () => {
    const length = cursor.int32();
    if (length < -1) throw malformed('A parameter has a negative length.');
    return length === -1 ? null : cursor.bytes(length);
  });
  const resultFormats = Array.from({ length: cursor.count() }, () => formatOf(cursor.int16()));
  cursor.end();
  if (parameterFormats.length > 1 && parameterFormats.length !== parameters.length) {
    throw malformed('The format codes do not match the parameters.');
  }
  const formatAt = (index: number): Format =>
    parameterFormats[parameterFormats.length === 1 ? 0 : index] ?? 0;
  const validText = parameters.every(
    (value, index) =>
      value === null || formatAt(index) === 1 || (!value.includes(0) && decodeText(value) !== null),
  );
  return {
    kind: 'bind',
    portal,
    statement,
    parameters,
    parameterFormats: parameterFormats.includes(1) ? parameters.map((_, index) => formatAt(index)) : [],
    resultFormats: resultFormats.includes(1) ? resultFormats : [],
    validText,
  };
}

function oversized(bytes: Buffer, extended: boolean): FrontendMessage {
  return {
    kind: 'oversized',
    extended,
    length: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}

function formatOf(code: number): Format {
  if (code !== 0 && code !== 1) throw malformed('A format code is unknown.');
  return code;
}

function whatOf(byte: number): 'statement' | 'portal' {
  if (byte === 'S'.charCodeAt(0)) return 'statement';
  if (byte === 'P'.charCodeAt(0)) return 'portal';
  throw malformed('Only statements and portals have names.');
}
