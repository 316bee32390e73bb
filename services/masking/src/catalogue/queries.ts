/**
 * The queries by which a target describes itself. The ingress runs them over its own pinned session, so that
 * `current_schemas` and what pg_get_viewdef leaves unqualified are as they will be for agents' statements.
 * PostgreSQL 15 and later. Every value is text.
 */
const OWN = `n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp\\_%'`;
const USER = `n.nspname NOT IN ('pg_catalog', 'information_schema') AND ${OWN}`;
const TYPE_SQL = (type: string, modifier: string, schema: string) =>
  `CASE WHEN ${schema}.nspname = 'pg_catalog' THEN format_type(${type}.oid, ${modifier})
        ELSE quote_ident(${schema}.nspname) || '.' || quote_ident(${type}.typname) END`;

export const catalogueQueries = {
  settings: `SELECT current_setting('server_version_num') AS version,
  array_to_json(current_schemas(true))::text AS path,
  current_setting('standard_conforming_strings') AS strings`,

  schemas: `SELECT n.nspname::text AS name FROM pg_catalog.pg_namespace n WHERE ${OWN} ORDER BY 1`,

  relations: `SELECT n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
  (SELECT array_to_json(array_agg(pn.nspname || '.' || pc.relname ORDER BY i.inhseqno))::text
   FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class pc ON pc.oid = i.inhparent
   JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace WHERE i.inhrelid = c.oid) AS parents,
  (EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type <> '1'))::text AS rules,
  CASE WHEN c.relkind IN ('v', 'm') AND ${USER} THEN pg_get_viewdef(c.oid) END AS definition
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND ${OWN} ORDER BY 1, 2`,

  columns: `SELECT n.nspname::text AS schema, c.relname::text AS relation, a.attname::text AS name,
  ${TYPE_SQL('t', 'a.atttypmod', 'tn')} AS type, tn.nspname || '.' || t.typname AS type_name,
  a.attnotnull::text AS not_null,
  CASE WHEN a.attcollation <> t.typcollation AND a.attcollation <> 0
    THEN quote_ident(ln.nspname) || '.' || quote_ident(l.collname) END AS collation,
  coalesce(l.collisdeterministic, true)::text AS deterministic,
  CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END AS generated
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
LEFT JOIN pg_catalog.pg_namespace ln ON ln.oid = l.collnamespace
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND ${OWN}
ORDER BY 1, 2, a.attnum`,

  types: `SELECT n.nspname::text AS schema, t.typname::text AS name, t.typtype::text AS kind,
  ${TYPE_SQL('b', 't.typtypmod', 'bn')} AS base, bn.nspname || '.' || b.typname AS base_name,
  ${TYPE_SQL('e', '-1', 'en')} AS element, en.nspname || '.' || e.typname AS element_name
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype AND t.typtype = 'd'
LEFT JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace
LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
LEFT JOIN pg_catalog.pg_namespace en ON en.oid = e.typnamespace
WHERE ${OWN} AND n.nspname <> 'information_schema' ORDER BY 1, 2`,

  constraints: `SELECT n.nspname::text AS schema, c.relname::text AS relation, k.contype::text AS kind,
  (SELECT array_to_json(array_agg(a.attname ORDER BY u.place))::text FROM unnest(k.conkey) WITH ORDINALITY u(number, place)
   JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number) AS columns,
  (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))::text AS cascades,
  fn.nspname::text AS foreign_schema, f.relname::text AS foreign_relation,
  (SELECT array_to_json(array_agg(a.attname ORDER BY u.place))::text FROM unnest(k.confkey) WITH ORDINALITY u(number, place)
   JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number) AS foreign_columns
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class f ON f.oid = k.confrelid
LEFT JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
WHERE k.contype IN ('p', 'u', 'x', 'f', 'c') AND ${USER} ORDER BY 1, 2, k.conname`,

  indexes: `SELECT n.nspname::text AS schema, c.relname::text AS relation,
  (SELECT array_to_json(array_agg(a.attname))::text FROM pg_catalog.pg_attribute a
   WHERE a.attrelid = c.oid AND (a.attnum = ANY (i.indkey::int2[]) OR EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
     WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
     AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum))) AS columns
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE (i.indisunique OR i.indisexclusion) AND ${USER} ORDER BY 1, 2, i.indexrelid`,

  shapes: `SELECT n.nspname::text AS schema, c.relname::text AS relation, 'partition' AS kind,
  concat_ws(', ', (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum = ANY (p.partattrs::int2[])), pg_get_expr(p.partexprs, c.oid)) AS expression
FROM pg_catalog.pg_partitioned_table p JOIN pg_catalog.pg_class c ON c.oid = p.partrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE ${USER}
UNION ALL SELECT n.nspname::text, c.relname::text, 'policy',
  concat_ws(', ', pg_get_expr(y.polqual, c.oid), pg_get_expr(y.polwithcheck, c.oid))
FROM pg_catalog.pg_policy y JOIN pg_catalog.pg_class c ON c.oid = y.polrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relrowsecurity AND ${USER} ORDER BY 1, 2, 3, 4`,

  computations: `SELECT n.nspname::text AS schema, c.relname::text AS relation,
  array_to_json(array_agg(DISTINCT a.attname::text))::text AS columns
FROM (SELECT d.adrelid AS relation, 'pg_catalog.pg_attrdef'::regclass AS class, d.oid AS object FROM pg_catalog.pg_attrdef d
    JOIN pg_catalog.pg_attribute g ON g.attrelid = d.adrelid AND g.attnum = d.adnum WHERE g.attgenerated <> ''
  UNION ALL SELECT i.indrelid, 'pg_catalog.pg_class'::regclass, i.indexrelid FROM pg_catalog.pg_index i
    WHERE i.indexprs IS NOT NULL OR i.indpred IS NOT NULL) x
JOIN pg_catalog.pg_depend d ON d.classid = x.class AND d.objid = x.object
  AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = x.relation AND d.refobjsubid > 0
JOIN pg_catalog.pg_attribute a ON a.attrelid = x.relation AND a.attnum = d.refobjsubid AND a.attgenerated = ''
JOIN pg_catalog.pg_class c ON c.oid = x.relation JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE ${USER} GROUP BY 1, 2, x.object ORDER BY 1, 2, 3`,

  triggers: `SELECT n.nspname::text AS schema, c.relname::text AS relation, g.tgtype::text AS type,
  (SELECT array_to_json(array_agg(a.attname))::text FROM pg_catalog.pg_attribute a
   WHERE a.attrelid = c.oid AND a.attnum = ANY (g.tgattr::int2[])) AS columns
FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT g.tgisinternal AND ${USER} ORDER BY 1, 2, g.tgname`,

  routines: `SELECT n.nspname::text AS schema, p.proname::text AS name, p.prokind::text AS kind,
  l.lanname::text AS language, p.provolatile::text AS volatility, p.prosecdef::text AS definer,
  (p.proconfig IS NOT NULL)::text AS settings, array_to_json(p.proargnames)::text AS argument_names,
  array_to_json(p.proargmodes::text[])::text AS argument_modes, rn.nspname || '.' || r.typname AS result,
  CASE WHEN l.lanname = 'sql' AND p.prosqlbody IS NULL THEN p.prosrc END AS body
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang JOIN pg_catalog.pg_type r ON r.oid = p.prorettype
JOIN pg_catalog.pg_namespace rn ON rn.oid = r.typnamespace
WHERE ${USER} ORDER BY 1, 2, p.oid::regprocedure::text`,

  builtins: `SELECT array_to_json(array_agg(DISTINCT p.proname::text))::text AS names
FROM pg_catalog.pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace`,

  operators: `SELECT DISTINCT o.oprname::text AS name FROM pg_catalog.pg_operator o
JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE n.nspname <> 'pg_catalog' AND l.lanname NOT IN ('c', 'internal') ORDER BY 1`,

  calls: `SELECT DISTINCT 'relation' AS kind, n.nspname::text AS schema, c.relname::text AS name,
  pn.nspname || '.' || p.proname AS routine
FROM (SELECT k.conrelid AS relation, 'pg_catalog.pg_constraint'::regclass AS class, k.oid AS object FROM pg_catalog.pg_constraint k
  UNION ALL SELECT d.adrelid, 'pg_catalog.pg_attrdef'::regclass, d.oid FROM pg_catalog.pg_attrdef d
  UNION ALL SELECT i.indrelid, 'pg_catalog.pg_class'::regclass, i.indexrelid FROM pg_catalog.pg_index i) x
JOIN pg_catalog.pg_depend d ON d.classid = x.class AND d.objid = x.object AND d.refclassid = 'pg_catalog.pg_proc'::regclass
JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
JOIN pg_catalog.pg_class c ON c.oid = x.relation JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE pn.nspname <> 'pg_catalog'
UNION SELECT 'type', n.nspname::text, t.typname::text, pn.nspname || '.' || p.proname
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_constraint'::regclass
  AND d.objid = k.oid AND d.refclassid = 'pg_catalog.pg_proc'::regclass
JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
JOIN pg_catalog.pg_type t ON t.oid = k.contypid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE pn.nspname <> 'pg_catalog'
UNION SELECT 'type', n.nspname::text, t.typname::text, pn.nspname || '.' || p.proname
FROM pg_catalog.pg_cast x JOIN pg_catalog.pg_proc p ON p.oid = x.castfunc
JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang
JOIN pg_catalog.pg_type t ON t.oid IN (x.castsource, x.casttarget) JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE pn.nspname <> 'pg_catalog' AND l.lanname NOT IN ('c', 'internal') AND (n.nspname <> 'pg_catalog' OR t.oid = x.casttarget
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_type s WHERE s.oid = x.castsource AND s.typnamespace <> t.typnamespace))
ORDER BY 1, 2, 3, 4`,
} as const;

export type CatalogueQueryName = keyof typeof catalogueQueries;
