import type { Ambiguity } from './target.js';

/** Headers of agents that a target gets to see; a target's configuration may name more. */
export const FORWARDED = ['accept', 'accept-language', 'content-type', 'idempotency-key'] as const;

/** Headers of a target's answer that agents get to see where nothing of it is masked. */
export const ANSWERED = ['content-language', 'content-type', 'etag', 'last-modified', 'retry-after'] as const;

/**
 * Headers that no configuration may let through: those of the connection (RFC 9110, section 7.6.1), those that say how
 * a message is framed or coded, credentials, and conditions, whose answer would tell of what is masked.
 */
export const NEVER: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'cookie',
  'countersign-action',
  'expect',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'www-authenticate',
]);

const VISIBLE = /^[\t\x20-\x7e]*$/;
/** Headers that are never a list here: twice would mean two things. */
const SINGLE = ['authorization', 'content-length', 'content-type', 'host', 'transfer-encoding'];

/** Headers by lower-case name, as they were sent. */
export type Headers = ReadonlyMap<string, string>;

/**
 * Reads headers as the parser gave them: name, value, name, value. Which of two a server takes is its own affair, so
 * what matters may stand there once.
 * @param forwarded names that the target gets to see
 */
export function readHeaders(raw: readonly string[], forwarded: ReadonlySet<string>): Headers | Ambiguity {
  const headers = new Map<string, string>();
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase();
    const value = raw[index + 1] ?? '';
    if (headers.has(name) && (SINGLE.includes(name) || forwarded.has(name))) {
      return { ambiguity: 'It has a header twice.' };
    }
    if (forwarded.has(name) && !VISIBLE.test(value)) {
      return { ambiguity: 'It has a header with characters that are not plain.' };
    }
    headers.set(name, value);
  }
  const coding = headers.get('transfer-encoding');
  if (coding !== undefined && (coding !== 'chunked' || headers.has('content-length'))) {
    return { ambiguity: 'Where its body ends is not said in one way.' };
  }
  if (!/^\d*$/.test(headers.get('content-length') ?? '')) {
    return { ambiguity: 'Where its body ends is not said in one way.' };
  }
  if (!headers.has('host')) return { ambiguity: 'It names no host.' };
  return headers;
}

/** The media type of a Content-Type (RFC 9110, section 8.3.1) in lower case, without parameters. */
export function mediaTypeOf(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase();
}

/** Whether it is JSON in UTF-8: RFC 8259, or a media type with the suffix of RFC 6839. */
export function isJson(contentType: string): boolean {
  if (!/^application\/(?:[a-z0-9.+-]+\+)?json$/.test(mediaTypeOf(contentType))) return false;
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)"?/i.exec(contentType)?.[1];
  return charset === undefined || charset.toLowerCase() === 'utf-8';
}

/** How long an agent wants to wait (RFC 7240, section 4.3), milliseconds; 0 where it does not say. */
export function waitOf(prefer: string | undefined): number {
  const seconds = /(?:^|[,;]\s*)wait\s*=\s*(\d{1,5})(?:$|\s*[,;])/i.exec(prefer ?? '')?.[1];
  return seconds === undefined ? 0 : Number(seconds) * 1000;
}
