import { type Catalogue, type Relation, relationKey } from '../catalogue/index.js';
import type { Analysis } from './analysis.js';
import type { Cell, Reference } from './flow.js';
import { isSystem } from './names.js';
import { lookupOf, wayOf } from './problem.js';

export type WriteEvent = 'insert' | 'update' | 'delete' | 'truncate';

function nameOf(relation: Relation): string {
  return relationKey(relation.schema, relation.name);
}

/** A relation, its partitions and children, and theirs. */
function withChildren(catalogue: Catalogue, relation: Relation): Relation[] {
  const children = Object.values(catalogue.relations).filter(({ parents }) =>
    parents.includes(nameOf(relation)),
  );
  return [relation, ...children.flatMap((child) => withChildren(catalogue, child))];
}

/** Tables whose rows a delete, a changed key or a TRUNCATE CASCADE here changes too. */
function cascading(catalogue: Catalogue, relation: Relation, all: boolean, seen: Set<string>): Relation[] {
  return relation.referenced.flatMap(({ by, cascades }) => {
    const other = catalogue.relations[by];
    if (other === undefined || seen.has(by) || !(cascades || all)) return [];
    seen.add(by);
    return [other, ...cascading(catalogue, other, all, seen)];
  });
}

/** Refuses what would run code that is not in the statement: triggers and rules decide by hidden values, and tell them. */
function vetCode(
  state: Analysis,
  relation: Relation,
  event: WriteEvent,
  written: readonly string[],
  all: boolean,
): void {
  const { catalogue } = state.context;
  const direct = withChildren(catalogue, relation);
  const farther = event === 'insert' ? [] : cascading(catalogue, relation, all, new Set([nameOf(relation)]));
  for (const touched of [...direct, ...farther.flatMap((other) => withChildren(catalogue, other))]) {
    const own = direct.includes(touched);
    const fires = touched.triggers.some(
      ({ events, columns }) =>
        (own ? events.includes(event) : events.some((other) => other !== 'insert')) &&
        (!own ||
          event !== 'update' ||
          columns.length === 0 ||
          columns.some((column) => written.includes(column))),
    );
    if (fires || touched.rules)
      state.refuse(
        `the triggers or rules of ${nameOf(touched)} that this write runs`,
        'Write columns or tables that have none, or ask the owner of the table to do it.',
      );
  }
}

function refuseWrite(state: Analysis, cell: Cell, why: string): void {
  const { relation } = cell.reference;
  state.problem({
    code: 'masking.write_to_masked',
    reason: `${nameOf(relation)}.${cell.column.name} is masked, and ${why}.`,
    wayOut: wayOf([
      'write columns that are not masked',
      cell.label === null ? '' : `ask for ${lookupOf(cell.label)}`,
    ]),
  });
}

/** Refuses writes whose success, count or later reading would answer a question about hidden values. */
export function vetWrite(
  state: Analysis,
  reference: Reference,
  event: WriteEvent,
  written: readonly string[],
  all = false,
): void {
  const { relation, cells } = reference;
  if (relation.kind !== 'table' || isSystem(relation)) {
    state.refuse(`writing to ${nameOf(relation)}, which is no table`, 'Write to the table itself.');
    return;
  }
  vetCode(state, relation, event, written, all);
  const types = relation.columns.filter(({ name }) => written.includes(name)).map(({ type }) => type.name);
  const called = [
    ...relation.calls,
    ...types.flatMap((type) => state.context.catalogue.types[type]?.calls ?? []),
  ];
  for (const routine of event === 'insert' || event === 'update' ? called : [])
    if (state.context.routines[routine]?.clean !== true)
      state.refuse(
        `what the function ${routine}, called by a constraint or default of ${nameOf(relation)}, reads`,
      );
  const masked = (name: string): Cell | undefined => {
    const cell = cells.get(name);
    const granted = cell?.label != null && state.options.lookups.has(cell.label);
    return cell === undefined || cell.mask.treatment === 'open' || granted ? undefined : cell;
  };
  for (const name of written) {
    const cell = cells.get(name);
    for (const source of cell?.sensitive.sources ?? []) state.use(source, 'write');
    const hidden = masked(name);
    if (hidden === undefined) continue;
    if (hidden.mask.surrogate)
      refuseWrite(state, hidden, 'a value that is written could be compared with surrogates');
    if (relation.compared.some((columns) => columns.includes(name)))
      refuseWrite(state, hidden, 'a constraint would compare what is written with hidden values');
  }
  const sets = event === 'update' ? [...relation.checks, ...relation.compared] : [];
  for (const columns of sets.filter((set) => set.some((name) => written.includes(name))))
    for (const name of columns) {
      const hidden = written.includes(name) ? undefined : masked(name);
      if (hidden !== undefined)
        refuseWrite(state, hidden, 'a constraint compares it with a column that is written');
    }
  if (event === 'insert') return;
  for (const { columns } of relation.referenced)
    for (const name of columns.filter((column) => event !== 'update' || written.includes(column))) {
      const hidden = masked(name);
      if (hidden !== undefined && event !== 'truncate')
        refuseWrite(state, hidden, 'a foreign key would tell which of its values are in use');
    }
}
