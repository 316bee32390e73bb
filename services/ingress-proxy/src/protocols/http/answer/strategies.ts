import type { ReleaseStrategy } from '@countersign/contracts';

type Local = Exclude<ReleaseStrategy, { readonly strategy: 'release' }>;

const REDACTED = '***';

/**
 * What stands for a JSON value, as JSON text. As in the database, null stays null, and a strategy that has no form for a
 * value leaves null.
 */
export function standIn(strategy: Local, value: unknown): string {
  if (value === null) return 'null';
  switch (strategy.strategy) {
    case 'redact':
      return JSON.stringify(REDACTED);
    case 'null':
      return 'null';
    case 'partial':
      return typeof value === 'string' ? JSON.stringify(partial(value, strategy.keepLast)) : 'null';
    case 'generalise': {
      const general = typeof value === 'string' ? generalised(value, strategy.to) : null;
      return JSON.stringify(general);
    }
  }
}

/** Constant before the kept end, or the mask would tell the length; a value as short as the end shows nothing. */
function partial(value: string, keepLast: number): string {
  const characters = [...value];
  return (
    REDACTED + (characters.length > keepLast && keepLast > 0 ? characters.slice(-keepLast).join('') : '')
  );
}

const DATE = /^(\d{4})-\d{2}-\d{2}$/;
const MOMENT = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})$/;
const IPV4 = /^(\d{1,3})\.(\d{1,3})\.\d{1,3}\.\d{1,3}$/;

function generalised(value: string, to: 'year' | '/16'): string | null {
  if (to === '/16') {
    const [, first, second] = IPV4.exec(value) ?? [];
    const valid = first !== undefined && value.split('.').every((part) => Number(part) <= 255);
    return valid ? `${Number(first)}.${Number(second)}.0.0/16` : null;
  }
  const year = DATE.exec(value)?.[1];
  if (year !== undefined) return year === '0000' ? null : `${year}-01-01`;
  // The year in UTC: an offset would let whoever wrote the value move the boundary.
  const moment = MOMENT.test(value) ? new Date(value) : null;
  const utc = moment === null || Number.isNaN(moment.getTime()) ? Number.NaN : moment.getUTCFullYear();
  return utc >= 1 && utc <= 9999 ? `${String(utc).padStart(4, '0')}-01-01T00:00:00Z` : null;
}

/**
 * The text of a value that masking replaces at release: of a string its characters, of a whole number its digits. Null for
 * what has no such text, which is released as null.
 */
export function releasedText(raw: string, value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' && /^(?:0|-?[1-9]\d*)$/.test(raw) ? raw : null;
}
