import { detectorsFor, placeholderOf } from '../detectors/index.js';
import { quoteLiteral } from '../tree/index.js';

/** Text in which the database replaces what the named detectors find. */
export function detectedText(value: string, detectors: readonly string[]): string {
  return detectorsFor(detectors).reduce(
    (rest, { label, pattern }) =>
      `pg_catalog.regexp_replace(${rest}, ${quoteLiteral(pattern)}, ${quoteLiteral(placeholderOf(label))}, 'g')`,
    value,
  );
}

/**
 * A document in whose text the database replaces what the named detectors find. jsonb's own text is searched, so that
 * escapes hide nothing; where the replaced text is no document any more, an empty one stands for it: never an error,
 * which would tell something of the value.
 */
export function detectedDocument(value: string, type: string, detectors: readonly string[]): string {
  const normal = `CASE WHEN pg_catalog.pg_input_is_valid(${value}::text, 'jsonb') THEN ${value}::text::jsonb::text END`;
  const source = type === 'pg_catalog.json' ? normal : `${value}::text`;
  return `(SELECT CASE WHEN pg_catalog.pg_input_is_valid(d.v, 'jsonb') THEN d.v ELSE '{}' END FROM (SELECT ${detectedText(source, detectors)} AS v OFFSET 0) AS d)`;
}
