import { CountersignError } from '@countersign/errors';
import { z } from 'zod';
import type { Catalogue, Column, Relation, RelationKind, Routine, Trigger, TypeFact } from './model.js';
import { relationKey } from './model.js';
import { type CatalogueQueryName, catalogueQueries } from './queries.js';

/** Rows of each catalogue query: text or null by column name. */
export type CatalogueRows = Readonly<Record<CatalogueQueryName, readonly Row[]>>;
type Row = Readonly<Record<string, string | null>>;

const rowsShape = z.array(z.record(z.string(), z.string().nullable())).max(1_000_000);
const namesShape = z.array(z.string());

/**
 * Reads the rows that the ingress hands over.
 * @throws request.invalid where a result is missing or not as its query gives it
 */
export function readRows(
  results: readonly { readonly name: string; readonly rows: Uint8Array }[],
): CatalogueRows {
  const given = new Map(results.map(({ name, rows }) => [name, rows]));
  const entries = Object.keys(catalogueQueries).map((name) => {
    const bytes = given.get(name);
    if (bytes === undefined)
      throw new CountersignError('request.invalid', {
        detail: `Rows of the catalogue query ${name} are missing.`,
      });
    try {
      return [name, rowsShape.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))] as const;
    } catch {
      throw new CountersignError('request.invalid', {
        detail: `Rows of the catalogue query ${name} cannot be read.`,
      });
    }
  });
  return Object.fromEntries(entries) as unknown as CatalogueRows;
}

function text(row: Row, name: string): string {
  const value = row[name];
  if (typeof value !== 'string')
    throw new CountersignError('request.invalid', { detail: `A catalogue row lacks ${name}.` });
  return value;
}

function names(row: Row, name: string): string[] {
  const value = row[name];
  return typeof value === 'string' ? namesShape.parse(JSON.parse(value)) : [];
}

function flag(row: Row, name: string): boolean {
  return row[name] === 'true' || row[name] === 't';
}

function typeReference(row: Row, name: string): { sql: string; name: string } | null {
  const sql = row[name];
  return typeof sql === 'string' ? { sql, name: text(row, `${name}_name`) } : null;
}

const RELATION_KINDS: Readonly<Record<string, RelationKind>> = {
  r: 'table',
  p: 'table',
  v: 'view',
  m: 'materialized-view',
  f: 'foreign-table',
  S: 'sequence',
  c: 'composite',
};
const TYPE_KINDS: Readonly<Record<string, TypeFact['kind']>> = {
  b: 'base',
  c: 'composite',
  d: 'domain',
  e: 'enum',
  r: 'range',
  m: 'multirange',
};
const ROUTINE_KINDS = { f: 'function', p: 'procedure', a: 'aggregate', w: 'window' } as const;
const VOLATILITIES = { i: 'immutable', s: 'stable', v: 'volatile' } as const;

function groupBy(rows: readonly Row[], schema: string, name: string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = relationKey(row[schema] ?? '', row[name] ?? '');
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return groups;
}

/** pg_trigger.tgtype: bits of src/include/catalog/pg_trigger.h. */
function readTrigger(row: Row): Trigger {
  const type = Number(text(row, 'type'));
  const events = (
    [
      ['insert', 4],
      ['delete', 8],
      ['update', 16],
      ['truncate', 32],
    ] as const
  ).filter(([, bit]) => (type & bit) !== 0);
  return { events: events.map(([event]) => event), columns: names(row, 'columns') };
}

function readColumn(row: Row): Column {
  return {
    name: text(row, 'name'),
    type: {
      sql: text(row, 'type'),
      name: text(row, 'type_name'),
      collation: row.collation ?? null,
      deterministic: flag(row, 'deterministic'),
    },
    notNull: flag(row, 'not_null'),
    generated: row.generated ?? null,
  };
}

function readRoutine(row: Row, composites: ReadonlyMap<string, Row[]>): Routine {
  const modes = names(row, 'argument_modes');
  const argumentNames = names(row, 'argument_names');
  const result = composites.get(text(row, 'result'));
  return {
    kind: ROUTINE_KINDS[text(row, 'kind') as keyof typeof ROUTINE_KINDS] ?? 'procedure',
    language: text(row, 'language'),
    volatility: VOLATILITIES[text(row, 'volatility') as keyof typeof VOLATILITIES] ?? 'volatile',
    definer: flag(row, 'definer'),
    settings: flag(row, 'settings'),
    argumentNames,
    resultColumns:
      result !== undefined
        ? result.map((column) => text(column, 'name'))
        : argumentNames.filter((_, index) => ['t', 'o', 'b'].includes(modes[index] ?? 'i')),
    body: row.body ?? null,
  };
}

/** The model of a target from the rows of its catalogue queries. */
export function readCatalogue(rows: CatalogueRows): Catalogue {
  const [settings] = rows.settings;
  const [builtins] = rows.builtins;
  if (settings === undefined || builtins === undefined)
    throw new CountersignError('request.invalid', { detail: 'The catalogue rows are incomplete.' });
  // The masked text is read back under the standard; a server that reads it otherwise would run another statement.
  if (settings.strings !== 'on')
    throw new CountersignError('config.invalid', {
      detail: 'The target runs with standard_conforming_strings off.',
    });
  const callers = groupBy(rows.calls, 'schema', 'name');
  const callsOf = (kind: string, key: string) =>
    (callers.get(key) ?? []).filter((row) => row.kind === kind).map((row) => text(row, 'routine'));
  const columns = groupBy(rows.columns, 'schema', 'relation');
  const constraints = groupBy(rows.constraints, 'schema', 'relation');
  const references = groupBy(rows.constraints, 'foreign_schema', 'foreign_relation');
  const indexes = groupBy(rows.indexes, 'schema', 'relation');
  const triggers = groupBy(rows.triggers, 'schema', 'relation');
  const computations = groupBy(rows.computations, 'schema', 'relation');
  const shapes = groupBy(rows.shapes, 'schema', 'relation');
  const shapesOf = (key: string, kind: string) =>
    (shapes.get(key) ?? []).filter((row) => row.kind === kind).map((row) => text(row, 'expression'));
  // A dot in a name would make two names one key; such a relation or routine stays unknown, so statements on it are refused.
  const plain = rows.relations.filter((row) => !`${row.schema}${row.name}`.includes('.'));
  const routines = rows.routines.filter((row) => !`${row.schema}${row.name}`.includes('.'));
  const relations = plain.map((row): [string, Relation] => {
    const key = relationKey(text(row, 'schema'), text(row, 'name'));
    const own = constraints.get(key) ?? [];
    const primary = own.find((constraint) => constraint.kind === 'p');
    return [
      key,
      {
        schema: text(row, 'schema'),
        name: text(row, 'name'),
        kind: RELATION_KINDS[text(row, 'kind')] ?? 'table',
        columns: (columns.get(key) ?? []).map(readColumn),
        primaryKey: primary === undefined ? null : names(primary, 'columns'),
        compared: [
          ...own.filter((constraint) => 'puxf'.includes(text(constraint, 'kind'))),
          ...(indexes.get(key) ?? []),
        ].map((constraint) => names(constraint, 'columns')),
        referenced: (references.get(key) ?? []).map((constraint) => ({
          columns: names(constraint, 'foreign_columns'),
          by: relationKey(text(constraint, 'schema'), text(constraint, 'relation')),
          from: names(constraint, 'columns'),
          cascades: flag(constraint, 'cascades'),
        })),
        checks: [
          ...own.filter((constraint) => constraint.kind === 'c'),
          ...(computations.get(key) ?? []),
        ].map((constraint) => names(constraint, 'columns')),
        partitionKeys: shapesOf(key, 'partition'),
        policies: shapesOf(key, 'policy'),
        triggers: (triggers.get(key) ?? []).map(readTrigger),
        rules: flag(row, 'rules'),
        parents: names(row, 'parents'),
        calls: callsOf('relation', key),
        definition: row.definition ?? null,
      },
    ];
  });
  return {
    serverVersion: Number(text(settings, 'version')),
    searchPath: names(settings, 'path'),
    schemas: rows.schemas.map((row) => text(row, 'name')),
    relations: Object.fromEntries(relations),
    routines: Object.fromEntries(
      [...groupBy(routines, 'schema', 'name')].map(([key, group]) => [
        key,
        group.map((row) => readRoutine(row, columns)),
      ]),
    ),
    builtins: names(builtins, 'names'),
    operators: rows.operators.map((row) => text(row, 'name')),
    types: readTypes(rows.types, (key) => callsOf('type', key), columns),
  };
}

/** Types, each with the routines that it calls by itself or through the types that it is made of. */
function readTypes(
  rows: readonly Row[],
  callsOf: (key: string) => string[],
  columns: ReadonlyMap<string, readonly Row[]>,
): Record<string, TypeFact> {
  const types = new Map<string, Omit<TypeFact, 'calls'> & { readonly calls: Set<string> }>();
  for (const row of rows) {
    const key = relationKey(text(row, 'schema'), text(row, 'name'));
    const base = typeReference(row, 'base');
    const element = typeReference(row, 'element');
    const kind = TYPE_KINDS[text(row, 'kind')] ?? 'pseudo';
    types.set(key, { kind, base, element, calls: new Set(callsOf(key)) });
  }
  const partsOf = (key: string, { base, element, kind }: Omit<TypeFact, 'calls'>) => [
    ...(base === null ? [] : [base.name]),
    ...(element === null ? [] : [element.name]),
    ...(kind === 'composite' ? (columns.get(key) ?? []).map((row) => text(row, 'type_name')) : []),
  ];
  for (let changed = true; changed; ) {
    changed = false;
    for (const [key, type] of types) {
      const before = type.calls.size;
      for (const part of partsOf(key, type))
        for (const call of types.get(part)?.calls ?? []) type.calls.add(call);
      if (type.calls.size !== before) changed = true;
    }
  }
  return Object.fromEntries(
    [...types].map(([key, type]) => [key, { ...type, calls: [...type.calls].sort() }]),
  );
}
