import { CountersignError } from '@countersign/errors';
import type { Sensitive, Source } from '../analysis/index.js';
import { type Catalogue, type Relation, relationKey } from '../catalogue/index.js';
import type { Labels } from '../labels/index.js';
import type { Grammar } from '../parsing/index.js';
import { type Node, namesOf, objectsOf } from '../tree/index.js';

/** Labelled columns by relation and column. */
export type ColumnLabels = Map<string, Map<string, Sensitive>>;

function add(found: ColumnLabels, relation: string, column: string, sensitive: Sensitive): boolean {
  const columns = found.get(relation) ?? new Map<string, Sensitive>();
  found.set(relation, columns);
  const before = columns.get(column);
  const after = before === undefined ? sensitive : joined(before, sensitive);
  columns.set(column, after);
  return before === undefined || before.sources.length !== after.sources.length;
}

/** A column that holds what both say. It is bare only where both are and agree on the label. */
export function joined(left: Sensitive, right: Sensitive): Sensitive {
  const sources = new Map<string, Source>();
  for (const source of [...left.sources, ...right.sources])
    sources.set(`${source.column} ${source.label}`, source);
  const labels = new Set([...sources.values()].map(({ label }) => label));
  return { sources: [...sources.values()], bare: left.bare && right.bare && labels.size === 1 };
}

function declared(catalogue: Catalogue, labels: Labels): ColumnLabels {
  const found: ColumnLabels = new Map();
  for (const [name, label] of Object.entries(labels.labels)) {
    const [schema = '', relation = '', column = ''] = name.split('.');
    const key = relationKey(schema, relation);
    // A label that names nothing is a wrong name, and what was meant would go unmasked.
    if (!catalogue.relations[key]?.columns.some((known) => known.name === column))
      throw new CountersignError('config.invalid', {
        detail: `The target has no column ${name}, which has a label.`,
      });
    add(found, key, column, { sources: [{ label, column: name }], bare: true });
  }
  return found;
}

/** A foreign key holds values of what it refers to, so it has the same labels. */
function refer(relation: Relation, found: ColumnLabels): boolean {
  const own = found.get(relationKey(relation.schema, relation.name));
  let changed = false;
  for (const { columns, by, from } of own === undefined ? [] : relation.referenced)
    columns.forEach((column, index) => {
      const sensitive = own?.get(column);
      const other = from[index];
      if (sensitive !== undefined && other !== undefined && add(found, by, other, sensitive)) changed = true;
    });
  return changed;
}

/**
 * Partitions and children have the labels of their parents, parents show the rows of their children, and foreign keys
 * repeat what they refer to.
 */
function inherit(catalogue: Catalogue, found: ColumnLabels): void {
  const pairs = Object.entries(catalogue.relations).flatMap(([child, { parents }]) =>
    parents.map((parent) => [parent, child] as const),
  );
  for (let changed = true; changed; ) {
    changed = false;
    for (const relation of Object.values(catalogue.relations)) if (refer(relation, found)) changed = true;
    for (const [parent, child] of [...pairs, ...pairs.map(([one, other]) => [other, one] as const)]) {
      const columns = catalogue.relations[child]?.columns ?? [];
      for (const [column, sensitive] of found.get(parent) ?? [])
        if (columns.some(({ name }) => name === column) && add(found, child, column, sensitive))
          changed = true;
    }
  }
}

function generated(relation: Relation, found: ColumnLabels, grammar: Grammar): void {
  const key = relationKey(relation.schema, relation.name);
  for (const { name, generated: expression } of relation.columns) {
    if (expression === null) continue;
    const tree = grammar(`SELECT ${expression}`);
    for (const { name: tag, fields } of objectsOf(tree)) {
      if (tag !== 'ColumnRef') continue;
      const column = namesOf(fields.fields as Node[])?.at(-1) ?? '';
      const sensitive = found.get(key)?.get(column);
      if (sensitive !== undefined) add(found, key, name, { ...sensitive, bare: false });
    }
  }
}

/** Labels of tables: as declared, as inherited, and of what is generated from them. */
export function tableLabels(catalogue: Catalogue, labels: Labels, grammar: Grammar): ColumnLabels {
  const found = declared(catalogue, labels);
  inherit(catalogue, found);
  for (const relation of Object.values(catalogue.relations)) generated(relation, found, grammar);
  inherit(catalogue, found);
  return found;
}
