/** Keys whose values are never logged, whatever they hold. */
const secretKey =
  /(password|passwd|pwd|passphrase|secret|token|authorization|cookie|private_?key|credentials?|assertion|api_?key|jwt)s?(_?pem)?$/i;

const redacted = '[redacted]';

/** Depth, entries and characters beyond which a logged object is cut: logging must not become the work. */
const limits = { depth: 6, entries: 100, text: 8192 } as const;

// Each pattern is linear in its input: no nested or overlapping repetition.
const patterns: readonly (readonly [RegExp, string])[] = [
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{2,}(?:\.[A-Za-z0-9_-]*)?/g, '[redacted token]'],
  [/(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/@"'\\]{0,256}):[^\s/@"'\\]{1,512}@/gi, `$1:${redacted}@`],
  [
    /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]{0,16384}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?/g,
    '[redacted key]',
  ],
  [/\b(Bearer|Basic|DPoP) [A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${redacted}`],
  [/\b(password|passwd|pwd|secret|access_token|client_assertion)=[^\s&"'\\]{1,4096}/gi, `$1=${redacted}`],
];

/** Text without tokens, passwords in URLs, private keys and the like. */
export function redactText(text: string): string {
  let result = text.length > limits.text ? `${text.slice(0, limits.text)}… [cut]` : text;
  for (const [pattern, replacement] of patterns) result = result.replaceAll(pattern, replacement);
  return result;
}

/** What may be logged of a thrown thing. */
export interface LoggableError {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: readonly string[];
  readonly cause?: LoggableError;
}

const isDatabaseError = (error: Error): error is Error & { code: string } =>
  'severity' in error &&
  'code' in error &&
  typeof error.code === 'string' &&
  /^[0-9A-Z]{5}$/.test(error.code);

/**
 * Type, code, redacted text and frames of an error, and of what caused it. The text of a database's error is withheld:
 * it quotes values.
 */
export function loggableError(thrown: unknown, depth = 0): LoggableError {
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: '[not an error]' };
  const database = isDatabaseError(thrown) || 'driverError' in thrown;
  const code = 'code' in thrown && typeof thrown.code === 'string' ? redactText(thrown.code) : undefined;
  const frames = (thrown.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 12)
    .map((line) => line.trim());
  return {
    type: thrown.name,
    message: database ? '[withheld: text of a database error]' : redactText(thrown.message),
    ...(code === undefined ? {} : { code }),
    ...(frames.length === 0 ? {} : { stack: frames }),
    ...(thrown.cause === undefined || depth >= 4 ? {} : { cause: loggableError(thrown.cause, depth + 1) }),
  };
}

/** A copy of a value that may be logged. */
export function redact(value: unknown, depth = 0): unknown {
  switch (typeof value) {
    case 'string':
      return redactText(value);
    case 'bigint':
      return value.toString();
    case 'function':
    case 'symbol':
      return `[${typeof value}]`;
    case 'object':
      break;
    default:
      return value;
  }
  if (value === null) return null;
  if (value instanceof Error) return loggableError(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (depth >= limits.depth) return '[deeper]';
  if (Array.isArray(value)) {
    const items = value.slice(0, limits.entries).map((item) => redact(item, depth + 1));
    return value.length > limits.entries ? [...items, `[${value.length - limits.entries} more]`] : items;
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') return redact(value.toJSON(), depth + 1);
  const entries = value instanceof Map ? [...value.entries()] : Object.entries(value);
  return Object.fromEntries(
    entries
      .slice(0, limits.entries)
      .map(([key, child]) => [typeof key === 'object' ? '[object]' : String(key), child] as const)
      .map(([key, child]) => [
        key,
        secretKey.test(key) && child !== undefined && child !== null ? redacted : redact(child, depth + 1),
      ]),
  );
}
