import { digestOfJson } from '@countersign/contracts';
import type {
  RelationLabels,
  RoutineFact,
  Sensitive,
  Source,
  TargetContext,
  Walked,
} from '../analysis/index.js';
import { isSystem, walk } from '../analysis/index.js';
import type { Catalogue, Relation, Routine } from '../catalogue/index.js';
import type { Labels } from '../labels/index.js';
import { type Grammar, parseMessage } from '../parsing/index.js';
import type { Mask } from '../strategies/index.js';
import { type Node, quoteIdentifier, tagOf } from '../tree/index.js';
import { joined, tableLabels } from './base-labels.js';

/** Part of the context's digest: facts and rewrites of another version of the analysis are not reused. */
const ANALYSIS_VERSION = 2;
/** Views upon views and functions upon functions, at most this deep. */
const ROUNDS = 16;

const FOLLOWED: Mask = {
  treatment: 'meaningful',
  preservesNull: true,
  // Some profile may take the number of elements away.
  preservesLength: false,
  surrogate: false,
  sql: (column) => column,
};

function sourcesOf(cells: Iterable<{ readonly sensitive: Sensitive }>): Source[] {
  const found = new Map<string, Source>();
  for (const { sensitive } of cells)
    for (const source of sensitive.sources) found.set(`${source.column} ${source.label}`, source);
  return [...found.values()].sort((left, right) => (left.column < right.column ? -1 : 1));
}

function follow(context: TargetContext, node: Node, argumentNames: readonly string[]): Walked {
  return walk(context, node, {
    mask: () => FOLLOWED,
    lookups: new Set(),
    argumentNames: new Set(argumentNames),
  });
}

/**
 * What decides which rows a table shows: policies of row security, and the keys by which the rows of a partition were
 * chosen. Functions of the owner must be understood. A policy that asks a setting is left to the owner: it tells by the
 * setting what to compare, agents can set none, and nothing here can tell what it does where none is set.
 */
function tableShape(relation: Relation, context: TargetContext, grammar: Grammar): RelationLabels | null {
  const { relations } = context.catalogue;
  const found: Source[] = [];
  let understood = true;
  const add = (owner: Relation, expression: string): void => {
    const [node] =
      parsed(
        grammar,
        `SELECT ${expression} FROM ${quoteIdentifier(owner.schema)}.${quoteIdentifier(owner.name)}`,
      ) ?? [];
    if (node === undefined) {
      understood = false;
      return;
    }
    const { state } = follow(context, node, []);
    found.push(...[...state.uses.values()].map(({ source }) => source));
    // A query may choose by more than it names.
    found.push(...sourcesOf(state.checks.flatMap(({ flow }) => [...flow.cells, ...flow.nulls])));
    if (state.unknown.size > 0) understood = false;
    for (const routine of state.routines) if (context.routines[routine]?.clean !== true) understood = false;
  };
  for (const policy of relation.policies) if (!policy.includes('current_setting(')) add(relation, policy);
  const above = (child: Relation): Relation[] =>
    child.parents.flatMap((name) => {
      const parent = relations[name];
      return parent === undefined ? [] : [parent, ...above(parent)];
    });
  for (const parent of above(relation)) for (const key of parent.partitionKeys) add(parent, key);
  const shape = sourcesOf([{ sensitive: { sources: found, bare: false } }]);
  return understood && shape.length === 0 ? null : { columns: {}, shape, understood };
}

const NOT_UNDERSTOOD: RelationLabels = { columns: {}, shape: [], understood: false };

/** Labels of a view's columns: those of what they are computed from. */
function viewLabels(relation: Relation, context: TargetContext, statements: readonly Node[]): RelationLabels {
  const [node] = statements;
  if (node === undefined || statements.length !== 1 || tagOf(node) !== 'SelectStmt') return NOT_UNDERSTOOD;
  const { state, output } = follow(context, node, []);
  if (state.problems.length > 0 || !output.complete || output.columns.length !== relation.columns.length)
    return NOT_UNDERSTOOD;
  const columns = relation.columns.flatMap(({ name }, index): [string, Sensitive][] => {
    const flow = output.columns[index]?.flow;
    const sources = sourcesOf([...(flow?.cells ?? []), ...(flow?.nulls ?? [])]);
    const bare = flow?.bare === true && [...flow.cells].every(({ sensitive }) => sensitive.bare);
    return sources.length === 0 ? [] : [[name, { sources, bare }]];
  });
  const shaping = state.checks.flatMap(({ flow }) => [...flow.cells, ...flow.nulls]);
  return { columns: Object.fromEntries(columns), shape: sourcesOf(shaping), understood: true };
}

/** Adds what is declared of a view's columns to what follows from its definition. */
function withDeclared(
  own: RelationLabels,
  declared: ReadonlyMap<string, Sensitive> | undefined,
): RelationLabels {
  if (declared === undefined) return own;
  const columns = { ...own.columns };
  for (const [name, sensitive] of declared) {
    const lineage = columns[name];
    const labels = new Set(sensitive.sources.map(({ label }) => label));
    const agrees = lineage?.sources.every(({ label }) => labels.has(label)) ?? true;
    // Where both say the same, the declared name is the one that people know.
    columns[name] =
      agrees || lineage === undefined ? sensitive : { ...joined(sensitive, lineage), bare: false };
  }
  return { ...own, columns };
}

/** Whether a routine computes from its arguments and from unlabelled columns alone. */
function routineFact(
  context: TargetContext,
  overloads: readonly Routine[],
  bodies: readonly (readonly Node[] | null)[],
): RoutineFact {
  const sources: Source[] = [];
  const clean = overloads.map((routine, index) => {
    const statements = bodies[index] ?? null;
    if (statements === null || statements.length === 0) return false;
    const walks = statements.map((node) => follow(context, node, routine.argumentNames));
    for (const { state } of walks) sources.push(...[...state.uses.values()].map(({ source }) => source));
    const plain = routine.kind === 'function' && routine.volatility !== 'volatile';
    const own = !routine.definer && !routine.settings;
    const reads = statements.every((node) => tagOf(node) === 'SelectStmt');
    return plain && own && reads && walks.every(({ state }) => state.problems.length === 0);
  });
  const labelled = sourcesOf([{ sensitive: { sources, bare: false } }]);
  return { clean: labelled.length === 0 && clean.every(Boolean), sources: labelled };
}

function parsed(grammar: Grammar, text: string | null): readonly Node[] | null {
  if (text === null) return null;
  const message = parseMessage(grammar, text);
  return message.kind === 'parsed' ? message.statements : null;
}

/**
 * All that analysis rests on for one target: labels followed through partitions, generated columns, views and functions.
 * Repeats until nothing changes, since views stand on views and functions on functions.
 */
export function describe(
  target: string,
  catalogue: Catalogue,
  labels: Labels,
  grammar: Grammar,
): TargetContext {
  const declared = tableLabels(catalogue, labels, grammar);
  const relations: Record<string, RelationLabels> = {};
  const views: { key: string; relation: Relation; statements: readonly Node[] }[] = [];
  for (const [key, relation] of Object.entries(catalogue.relations)) {
    const isView = relation.kind === 'view' || relation.kind === 'materialized-view';
    if (isView && !isSystem(relation)) {
      views.push({ key, relation, statements: parsed(grammar, relation.definition) ?? [] });
      relations[key] = NOT_UNDERSTOOD;
    } else if (declared.has(key)) {
      const columns = Object.fromEntries(declared.get(key) ?? []);
      relations[key] = { columns, shape: [], understood: true };
    }
  }
  const tables = Object.entries(catalogue.relations)
    .map(([key, relation]) => ({ key, relation }))
    .filter(({ relation: { policies, parents } }) => policies.length + parents.length > 0);
  const bodies = Object.entries(catalogue.routines).map(([key, overloads]) => ({
    key,
    overloads,
    statements: overloads.map(({ body }) => parsed(grammar, body)),
  }));
  const routines: Record<string, RoutineFact> = {};
  const digest = digestOfJson({ version: ANALYSIS_VERSION, catalogue, labels });
  const context: TargetContext = { target, catalogue, labels, relations, routines, digest };
  let before = '';
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { key, overloads, statements } of bodies)
      routines[key] = routineFact(context, overloads, statements);
    for (const { key, relation } of tables) {
      const shape = tableShape(relation, context, grammar);
      const columns = Object.fromEntries(declared.get(key) ?? []);
      if (shape !== null) relations[key] = { ...shape, columns };
    }
    for (const { key, relation, statements } of views)
      relations[key] = withDeclared(viewLabels(relation, context, statements), declared.get(key));
    const after = JSON.stringify([relations, routines]);
    if (after === before) break;
    before = after;
  }
  return context;
}
