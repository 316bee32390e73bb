import type { ColumnType, TypeFact } from '../catalogue/index.js';
import type { Strategy } from '../labels/index.js';
import { detectedDocument, detectedText } from './detect.js';

/**
 * What a masked column may still do.
 * - `open`: it is not masked.
 * - `raw`: its own value is computed with by equality alone, and replaced by a surrogate at release.
 * - `meaningful`: masked in the database by something that keeps meaning; it may shape an answer.
 * - `opaque`: masked in the database by something that keeps none.
 */
export type Treatment = 'open' | 'raw' | 'meaningful' | 'opaque';

export interface Mask {
  readonly treatment: Treatment;
  /** Whether the mask of a value is null exactly where the value is. */
  readonly preservesNull: boolean;
  /** Whether the mask of an array has as many elements as the array. */
  readonly preservesLength: boolean;
  /** Whether values are replaced at release, in whatever form they leave the database. */
  readonly surrogate: boolean;
  /** The masked value as SQL over the column, cast to its type. Never the value of a `raw` column. */
  readonly sql: (column: string) => string;
}

/** What a mask needs to know of the target. */
export interface TypeWorld {
  readonly serverVersion: number;
  readonly types: Readonly<Record<string, TypeFact>>;
}

const REDACTED = "'***'";
const TEXTS = new Set(['pg_catalog.text', 'pg_catalog.varchar', 'pg_catalog.bpchar']);
/** Types whose equality is that of their text, so that equal values are equal surrogates and the reverse. */
const EQUAL_AS_TEXT = new Set([
  'pg_catalog.text',
  'pg_catalog.varchar',
  'pg_catalog.uuid',
  'pg_catalog.int2',
  'pg_catalog.int4',
  'pg_catalog.int8',
]);
const DOCUMENTS = new Set(['pg_catalog.json', 'pg_catalog.jsonb']);

/** The type below any domain: a mask need not satisfy the checks of a domain, and clients are told this type anyway. */
export function underlyingType(
  type: { sql: string; name: string },
  world: TypeWorld,
): { sql: string; name: string } {
  const base = world.types[type.name]?.base;
  return base ? underlyingType(base, world) : { sql: type.sql, name: type.name };
}

type Masker = (value: string) => string;

function masker(strategy: Strategy, type: string, world: TypeWorld): Masker | null {
  if (strategy.strategy === 'generalise') return generalise(strategy.to, type);
  if (strategy.strategy === 'detect' && DOCUMENTS.has(type))
    return world.serverVersion >= 160_000
      ? (value) => detectedDocument(value, type, strategy.detectors)
      : null;
  if (!TEXTS.has(type)) return null;
  if (strategy.strategy === 'redact' || strategy.strategy === 'surrogate') return () => REDACTED;
  if (strategy.strategy === 'detect') return (value) => detectedText(`${value}::text`, strategy.detectors);
  if (strategy.strategy === 'partial') {
    // Constant before the kept end, or the mask would tell the length; a value as short as the end shows nothing.
    const kept = strategy.keep_last;
    return (value) =>
      `pg_catalog.concat(${REDACTED}, CASE WHEN pg_catalog.length(${value}::text) > ${kept} THEN pg_catalog."right"(${value}::text, ${kept}) ELSE '' END)`;
  }
  return null;
}

function generalise(to: 'year' | '/16', type: string): Masker | null {
  if (to === '/16')
    return type === 'pg_catalog.inet' || type === 'pg_catalog.cidr'
      ? (value) => `pg_catalog.network(pg_catalog.set_masklen(${value}, 16))`
      : null;
  // Outside these years truncation may be an error, which would tell of the value.
  const within = (value: string, year: string) =>
    `CASE WHEN ${value} >= '0001-01-01' AND ${value} < '10000-01-01' THEN ${year} END`;
  if (type === 'pg_catalog.date' || type === 'pg_catalog.timestamp')
    return (value) => within(value, `pg_catalog.date_trunc('year', ${value}::pg_catalog.timestamp)`);
  // The year in UTC: the session's time zone would let an agent move the boundary.
  return type === 'pg_catalog.timestamptz'
    ? (value) => within(value, `pg_catalog.date_trunc('year', ${value}, 'UTC')`)
    : null;
}

/** What a strategy does with a column of a type. Where it has no form for the type, the column becomes null. */
export function maskOf(strategy: Strategy, type: ColumnType, world: TypeWorld): Mask {
  const target = underlyingType(type, world);
  const collate = type.collation === null ? '' : ` COLLATE ${type.collation}`;
  const cast = (value: string) => `(${value})::${target.sql}${collate}`;
  if (strategy.strategy === 'keep')
    return {
      treatment: 'open',
      preservesNull: true,
      preservesLength: true,
      surrogate: false,
      sql: (column) => column,
    };
  const surrogate = strategy.strategy === 'surrogate';
  const raw = surrogate && EQUAL_AS_TEXT.has(target.name) && type.deterministic;
  const meaningful = strategy.strategy === 'generalise' || strategy.strategy === 'detect';
  const scalar = masker(strategy, target.name, world);
  const element = world.types[target.name]?.element ?? null;
  const each = element === null ? null : masker(strategy, underlyingType(element, world).name, world);
  if (scalar === null && each === null)
    return {
      treatment: raw ? 'raw' : 'opaque',
      preservesNull: false,
      preservesLength: false,
      surrogate,
      sql: () => cast('NULL'),
    };
  return {
    treatment: raw ? 'raw' : meaningful ? 'meaningful' : 'opaque',
    preservesNull: true,
    preservesLength: each !== null,
    surrogate,
    sql: (column) =>
      cast(
        `CASE WHEN ${column} IS NULL THEN NULL ELSE ${
          each === null || element === null
            ? (scalar?.(column) ?? 'NULL')
            : `ARRAY(SELECT (CASE WHEN e.v IS NULL THEN NULL ELSE ${each('e.v')} END)::${element.sql} FROM pg_catalog.unnest(${column}) WITH ORDINALITY AS e(v, n) ORDER BY e.n)`
        } END`,
      ),
  };
}

/** Of a column computed from labelled ones: nothing is kept, unless all of them are. */
export const COMPUTED: Strategy = { strategy: 'redact' };
