/** A request target (RFC 9112, section 3.2.1) that can be read in one way only. */
export interface ReadTarget {
  /** Path and query as they were sent, without the name of the target in front. */
  readonly text: string;
  /** Segments of the path, decoded. */
  readonly segments: readonly string[];
  /** Names in the query, sorted. */
  readonly query: readonly string[];
}

/** Why a request target is refused: a fixed sentence that holds nothing of it. */
export interface Ambiguity {
  readonly ambiguity: string;
}

const LONGEST = 8 * 1024;
const MOST_NAMES = 100;
/** RFC 3986 pchar without `;`, which some servers take for the beginning of parameters that are no part of a segment. */
const SEGMENT = /^(?:[A-Za-z0-9._~!$&'()*+,=:@-]|%[0-9A-F]{2})*$/;
const QUERY_NAME = /^[A-Za-z0-9._~-]+$/;
const QUERY_VALUE = /^(?:[A-Za-z0-9._~!$'()*+,=:@/?-]|%[0-9A-F]{2})*$/;
const UNRESERVED = /[A-Za-z0-9._~-]/;

/**
 * Reads path and query. Whatever one server might take for another resource than the next one does is refused: dot
 * segments, empty segments, backslashes, encoded slashes, double or needless encoding, names that are given twice.
 */
export function readTarget(text: string): ReadTarget | Ambiguity {
  if (text.length > LONGEST) return { ambiguity: 'Its address is too long.' };
  const mark = text.indexOf('?');
  const segments = readPath(mark < 0 ? text : text.slice(0, mark));
  if ('ambiguity' in segments) return segments;
  const query = readQuery(mark < 0 ? null : text.slice(mark + 1));
  if ('ambiguity' in query) return query;
  return { text, segments: segments.read, query: query.read };
}

type Read = { readonly read: readonly string[] } | Ambiguity;

function readPath(path: string): Read {
  if (!path.startsWith('/')) return { ambiguity: 'Its path does not begin with a slash.' };
  const read: string[] = [];
  const parts = path.slice(1).split('/');
  for (const [index, part] of parts.entries()) {
    if (part === '' && index < parts.length - 1) return { ambiguity: 'Its path has an empty segment.' };
    if (part === '.' || part === '..') return { ambiguity: 'Its path has a dot segment.' };
    if (!SEGMENT.test(part)) return { ambiguity: 'Its path has characters that are not plain.' };
    const decoded = decodeSegment(part);
    if (decoded === null) return { ambiguity: 'Its path is encoded in a way that is not the normal one.' };
    read.push(decoded);
  }
  return { read };
}

/** A segment decoded; null where it encodes what needs none, what separates, what is invisible or what is no UTF-8. */
function decodeSegment(segment: string): string | null {
  if (!segment.includes('%')) return segment;
  for (const [, digits = ''] of segment.matchAll(/%(..)/g)) {
    const byte = Number.parseInt(digits, 16);
    const character = String.fromCharCode(byte);
    if (byte < 0x20 || byte === 0x7f || '/\\%'.includes(character) || UNRESERVED.test(character)) return null;
  }
  try {
    const decoded = decodeURIComponent(segment);
    return decoded === '.' || decoded === '..' ? null : decoded;
  } catch {
    return null;
  }
}

function readQuery(query: string | null): Read {
  if (query === null) return { read: [] };
  const names: string[] = [];
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    const name = equals < 0 ? pair : pair.slice(0, equals);
    const value = equals < 0 ? '' : pair.slice(equals + 1);
    if (!QUERY_NAME.test(name)) return { ambiguity: 'Its query has a name that is not plain.' };
    if (!QUERY_VALUE.test(value) || value.includes('%00')) {
      return { ambiguity: 'Its query has characters that are not plain.' };
    }
    if (names.includes(name)) return { ambiguity: 'Its query has a name twice.' };
    names.push(name);
    if (names.length > MOST_NAMES) return { ambiguity: 'Its query has too many names.' };
  }
  return { read: names.sort() };
}
