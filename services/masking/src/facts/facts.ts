import type { Facts, LabelFact, ObjectFact, Risk, Verb } from '@countersign/contracts';
import type { Sensitive, TargetContext, Use, Walked } from '../analysis/index.js';
import { findFunction, findRelation, isQuery, walk } from '../analysis/index.js';
import { type Relation, relationKey } from '../catalogue/index.js';
import type { Mask } from '../strategies/index.js';
import { bodyOf, type Fields, isFields, type Node, objectsOf, tagOf } from '../tree/index.js';
import { together } from './danger.js';
import { functionRisks } from './risk-names.js';
import { statementDanger } from './statement-risks.js';

/** Facts know no profile: every column may be named, and none is taken away. */
const NEUTRAL: Mask = {
  treatment: 'meaningful',
  preservesNull: true,
  preservesLength: true,
  surrogate: false,
  sql: (column) => column,
};
const OPTIONS = {
  mask: (_: Sensitive) => NEUTRAL,
  lookups: new Set<string>(),
  argumentNames: new Set<string>(),
};

const TRANSACTIONS: Readonly<Record<string, Facts['transaction']>> = {
  TRANS_STMT_BEGIN: 'begin',
  TRANS_STMT_START: 'begin',
  TRANS_STMT_COMMIT: 'commit',
  TRANS_STMT_ROLLBACK: 'rollback',
  TRANS_STMT_SAVEPOINT: 'savepoint',
  TRANS_STMT_RELEASE: 'release',
  TRANS_STMT_ROLLBACK_TO: 'rollback-to',
};

const OBJECT_KINDS: Readonly<Record<Relation['kind'], ObjectFact['kind']>> = {
  table: 'table',
  'foreign-table': 'table',
  view: 'view',
  'materialized-view': 'materialized-view',
  sequence: 'sequence',
  composite: 'type',
};

/** Objects with what is done to them, gathered over a message. */
class Objects {
  private readonly found = new Map<string, { kind: ObjectFact['kind']; verbs: Set<Verb> }>();
  unknown = 0;

  add(name: string, kind: ObjectFact['kind'], verbs: readonly Verb[]): void {
    const entry = this.found.get(name) ?? { kind, verbs: new Set<Verb>() };
    for (const verb of verbs) entry.verbs.add(verb);
    this.found.set(name, entry);
  }

  relation(relation: Relation, verbs: readonly Verb[]): void {
    this.add(relationKey(relation.schema, relation.name), OBJECT_KINDS[relation.kind], verbs);
  }

  sorted(): ObjectFact[] {
    return [...this.found]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, { kind, verbs }]) => ({ name, kind, verbs: [...verbs].sort() }));
  }
}

const WRITE_VERBS: Readonly<Record<string, readonly Verb[]>> = {
  InsertStmt: ['insert'],
  UpdateStmt: ['update'],
  DeleteStmt: ['delete'],
  MergeStmt: ['merge'],
};

/** Verbs for each relation that a write names as its target. */
function targetVerbs(node: Node): Map<unknown, Verb[]> {
  const found = new Map<unknown, Verb[]>();
  for (const { name, fields } of objectsOf(node)) {
    const verbs = WRITE_VERBS[name];
    if (verbs === undefined) continue;
    const own = [...verbs];
    const conflict = fields.onConflictClause;
    if (isFields(conflict) && conflict.action === 'ONCONFLICT_UPDATE') own.push('update');
    for (const clause of objectsOf(fields.mergeWhenClauses)) {
      if (clause.fields.commandType === 'CMD_UPDATE') own.push('update');
      if (clause.fields.commandType === 'CMD_DELETE') own.push('delete');
      if (clause.fields.commandType === 'CMD_INSERT') own.push('insert');
    }
    found.set(fields.relation, own);
  }
  return found;
}

function fromQuery(node: Node, context: TargetContext, objects: Objects, uses: Map<string, LabelFact>): void {
  const { state }: Walked = walk(context, node, OPTIONS);
  const targets = targetVerbs(node);
  for (const { relation, node: place } of state.references.values())
    objects.relation(relation, targets.get(place) ?? ['read']);
  for (const key of state.routines) objects.add(key, 'function', ['read']);
  for (const { name, fields } of objectsOf(node)) {
    if (name !== 'FuncCall') continue;
    const finding = findFunction(context, fields);
    // Built-ins are named only where they are dangerous: the rest would drown what matters.
    if (
      finding.kind === 'unsafe' ||
      (finding.kind === 'safe' && functionRisks(functionName(fields)).length > 0)
    )
      objects.add(`pg_catalog.${functionName(fields)}`, 'function', ['read']);
  }
  objects.unknown += state.unknown.size;
  for (const { source, uses: own } of state.uses.values()) label(uses, source.label, source.column, [...own]);
}

function functionName(call: Fields): string {
  const names = (call.funcname as Node[] | undefined) ?? [];
  const last = names.at(-1);
  return last !== undefined && 'String' in last ? (last.String.sval ?? '') : '';
}

function label(uses: Map<string, LabelFact>, name: string, column: string, own: readonly Use[]): void {
  const before = uses.get(`${column} ${name}`)?.uses ?? [];
  uses.set(`${column} ${name}`, { label: name, column, uses: [...new Set([...before, ...own])].sort() });
}

/** Relations that a statement names which is no query: COPY, DDL, LOCK and the like. */
function fromOther(node: Node, verbs: readonly Verb[], context: TargetContext, objects: Objects): void {
  for (const { fields } of objectsOf(node)) {
    if (typeof fields.relname !== 'string') continue;
    const relation = findRelation(context.catalogue, fields);
    if (relation === null) objects.unknown += 1;
    else objects.relation(relation, verbs);
  }
  const tag = tagOf(node);
  const body = bodyOf(node);
  if (tag === 'CallStmt') {
    const call = body.funccall;
    const finding = isFields(call) ? findFunction(context, call) : null;
    if (finding?.kind === 'routine') for (const key of finding.keys) objects.add(key, 'function', []);
    else objects.unknown += 1;
  }
  if (tag === 'DropStmt') dropped(body, verbs, context, objects);
}

function dropped(body: Fields, verbs: readonly Verb[], context: TargetContext, objects: Objects): void {
  for (const object of (body.objects as Node[] | undefined) ?? []) {
    const names = ('List' in object ? (object.List.items ?? []) : [object]).flatMap((part) =>
      'String' in part ? [part.String.sval ?? ''] : [],
    );
    const [first, second] = names;
    if (first === undefined) continue;
    const relation = findRelation(
      context.catalogue,
      second === undefined ? { relname: first } : { schemaname: first, relname: second },
    );
    if (body.removeType === 'OBJECT_SCHEMA' && context.catalogue.schemas.includes(first))
      objects.add(first, 'schema', verbs);
    else if (relation !== null) objects.relation(relation, verbs);
    else objects.unknown += 1;
  }
}

/** Labels of the columns that COPY of a table takes or writes. */
function fromCopy(body: Fields, context: TargetContext, uses: Map<string, LabelFact>): void {
  const relation = isFields(body.relation) ? findRelation(context.catalogue, body.relation) : null;
  if (relation === null) return;
  const listed = ((body.attlist as Node[] | undefined) ?? []).flatMap((node) =>
    'String' in node ? [node.String.sval ?? ''] : [],
  );
  const columns = context.relations[relationKey(relation.schema, relation.name)]?.columns ?? {};
  for (const [name, { sources }] of Object.entries(columns))
    if (listed.length === 0 || listed.includes(name))
      for (const source of sources)
        label(uses, source.label, source.column, [body.is_from === true ? 'write' : 'output']);
}

/** The statement inside EXPLAIN, PREPARE, DECLARE, COPY, CREATE VIEW and the like; null where there is none. */
function innerQuery(node: Node): Node | null {
  const query = bodyOf(node).query;
  return isFields(query) && isQuery(query as Node) ? (query as Node) : null;
}

function parameterCount(statements: readonly Node[], declared: number): number {
  let most = declared;
  for (const { name, fields } of objectsOf(statements))
    if (name === 'ParamRef' && typeof fields.number === 'number') most = Math.max(most, fields.number);
  return most;
}

/** Facts of a parsed message: a pure function of tree, catalogue and labels. */
export function factsOf(
  statements: readonly Node[],
  declaredParameters: number,
  context: TargetContext,
): Facts {
  const [first] = statements;
  const objects = new Objects();
  const uses = new Map<string, LabelFact>();
  const dangers = statements.map((statement) => {
    const found = statementDanger(statement, context);
    const inner = isQuery(statement) ? statement : innerQuery(statement);
    if (inner !== null) fromQuery(inner, context, objects, uses);
    if (inner === null) fromOther(statement, found.verbs, context, objects);
    if (tagOf(statement) === 'CopyStmt') fromCopy(bodyOf(statement), context, uses);
    return found;
  });
  const several: Risk[] = statements.length > 1 ? ['several-statements'] : [];
  const all = together([...dangers, { verbs: [], risks: several }]);
  const kind = first === undefined ? 'none' : tagOf(first);
  return {
    version: 1,
    protocol: 'postgresql',
    statements: statements.length,
    kind,
    transaction: kind === 'TransactionStmt' ? transactionOf(first) : null,
    verbs: all.verbs,
    risks: all.risks,
    objects: objects.sorted(),
    unknownObjects: objects.unknown,
    labels: [...uses.values()].sort((left, right) =>
      left.column === right.column
        ? left.label < right.label
          ? -1
          : 1
        : left.column < right.column
          ? -1
          : 1,
    ),
    parameters: { count: parameterCount(statements, declaredParameters) },
  };
}

function transactionOf(node: Node | undefined): Facts['transaction'] {
  return node === undefined ? null : (TRANSACTIONS[String(bodyOf(node).kind)] ?? 'other');
}
