import type { Risk, Verb } from '@countersign/contracts';
import { risks as allRisks, verbs as allVerbs } from '@countersign/contracts';
import type { TargetContext } from '../analysis/index.js';
import { findRelation, isQuery } from '../analysis/index.js';
import { relationKey } from '../catalogue/index.js';
import { bodyOf, type Fields, isFields, type Node, objectsOf, stringsOf, tagOf } from '../tree/index.js';
import { callRisks } from './call-risks.js';
import { type Danger, danger, none, together } from './danger.js';
import { extensionRisks, relationRisks, settingRisks } from './risk-names.js';
import data from './statement-kinds.json' with { type: 'json' };
import { writeDanger } from './write-risks.js';

const KINDS: Readonly<Record<string, readonly (readonly string[])[]>> = data.kinds;

function fromKinds(tag: string): Danger {
  const [verbNames, riskNames] = Object.hasOwn(KINDS, tag) ? (KINDS[tag] ?? []) : [['ddl'], ['ddl']];
  return {
    verbs: allVerbs.filter((verb) => verbNames?.includes(verb)),
    risks: allRisks.filter((risk) => riskNames?.includes(risk)),
  };
}

/** Options of a statement, lower-cased names; the argument's text where it is a string, null otherwise. */
function optionsOf(body: Fields, member = 'options'): Map<string, string | null> {
  const found = new Map<string, string | null>();
  for (const option of (body[member] as readonly Node[] | undefined) ?? []) {
    if (!('DefElem' in option)) continue;
    const { arg, defname } = option.DefElem;
    const text = arg === undefined ? null : (stringsOf([arg])[0] ?? null);
    found.set((defname ?? '').toLowerCase(), text);
  }
  return found;
}

const DESTROYING = new Set(['OBJECT_TABLE', 'OBJECT_SCHEMA', 'OBJECT_MATVIEW', 'OBJECT_FOREIGN_TABLE']);
const OWNERSHIP = new Set([
  'AT_ChangeOwner',
  'AT_EnableRowSecurity',
  'AT_DisableRowSecurity',
  'AT_ForceRowSecurity',
  'AT_NoForceRowSecurity',
]);
const REWRITING = new Set([
  'AT_AlterColumnType',
  'AT_SetTableSpace',
  'AT_SetLogged',
  'AT_SetUnLogged',
  'AT_SetAccessMethod',
]);

function alterTable(node: Fields): Danger {
  const found: Risk[] = ['ddl'];
  for (const { name, fields } of objectsOf(node.cmds)) {
    if (name !== 'AlterTableCmd') continue;
    const type = String(fields.subtype);
    if (type === 'AT_DropColumn') found.push('unbounded-write');
    if (OWNERSHIP.has(type)) found.push('privilege');
    if (REWRITING.has(type)) found.push('lock');
  }
  return danger(['ddl'], found);
}

function settings(verbs: readonly Verb[], statement: unknown): Danger {
  const name = isFields(statement) ? statement.name : undefined;
  return danger(verbs, ['settings', ...(typeof name === 'string' ? settingRisks(name) : [])]);
}

function createFunction(body: Fields): Danger {
  const language = optionsOf(body).get('language') ?? 'sql';
  return ['c', 'internal'].includes(language.toLowerCase())
    ? danger(['ddl'], ['ddl', 'software-install', 'file'])
    : danger(['ddl'], ['ddl', 'dynamic-sql']);
}

function copy(body: Fields, context: TargetContext): Danger {
  const incoming = body.is_from === true;
  const found: Risk[] = [incoming ? 'copy-in' : 'copy-out'];
  if (body.is_program === true) found.push('program');
  else if (typeof body.filename === 'string') found.push('file');
  const query = body.query as Node | undefined;
  const inner = query === undefined ? none : queryDanger(query, context);
  return together([danger([incoming ? 'insert' : 'read'], found), inner]);
}

function inner(body: Fields, member: string, context: TargetContext): Danger {
  const query = body[member] as Node | undefined;
  return query === undefined ? none : statementDanger(query, context);
}

type Rule = (body: Fields, context: TargetContext) => Danger;
const RULES: Readonly<Record<string, Rule>> = {
  AlterDatabaseSetStmt: (body) => settings(['settings'], body.setstmt),
  AlterRoleSetStmt: (body) =>
    together([settings(['settings'], body.setstmt), danger(['privilege'], ['privilege'])]),
  AlterSystemStmt: (body) => settings(['settings'], body.setstmt),
  AlterTableStmt: alterTable,
  CopyStmt: copy,
  CreateExtensionStmt: (body) =>
    danger(['ddl'], ['ddl', 'software-install', ...extensionRisks(String(body.extname))]),
  CreateFunctionStmt: createFunction,
  CreateTableAsStmt: (body, context) => together([danger(['ddl'], ['ddl']), inner(body, 'query', context)]),
  DeclareCursorStmt: (body, context) => inner(body, 'query', context),
  DropStmt: (body) =>
    danger(['ddl'], DESTROYING.has(String(body.removeType)) ? ['ddl', 'unbounded-write'] : ['ddl']),
  ExplainStmt: (body, context) => inner(body, 'query', context),
  PrepareStmt: (body, context) => inner(body, 'query', context),
  TransactionStmt: (body) =>
    danger([], /PREPARE/.test(String(body.kind)) ? ['transaction', 'lock'] : ['transaction']),
  VacuumStmt: (body) => danger([], optionsOf(body).has('full') ? ['lock'] : []),
  VariableSetStmt: (body) => settings(['settings'], body),
  ViewStmt: (body, context) => together([danger(['ddl'], ['ddl']), inner(body, 'query', context)]),
};

/** What one statement of any kind does and risks. */
export function statementDanger(node: Node, context: TargetContext): Danger {
  if (isQuery(node)) return queryDanger(node, context);
  const tag = tagOf(node);
  const rule = Object.hasOwn(RULES, tag) ? RULES[tag] : undefined;
  return rule === undefined ? fromKinds(tag) : rule(bodyOf(node), context);
}

function readsRows(fields: Fields): boolean {
  return fields.valuesLists === undefined;
}

/** What a query does and risks, anywhere in it. */
function queryDanger(root: Node, context: TargetContext): Danger {
  const found: Danger[] = [];
  const inserted = new Set<unknown>();
  for (const { name, fields } of objectsOf(root)) {
    if (name === 'InsertStmt') {
      const source = fields.selectStmt;
      if (isFields(source)) inserted.add(Object.values(source)[0]);
    }
    if (name === 'SelectStmt' || name === 'larg' || name === 'rarg') {
      // VALUES of an INSERT reads nothing; any other query reads.
      if (readsRows(fields) || !inserted.has(fields)) found.push(danger(['read'], []));
      if (fields.intoClause !== undefined) found.push(danger(['ddl'], ['ddl']));
      if (fields.lockingClause !== undefined) found.push(danger([], ['lock']));
    }
    if (name === 'FuncCall') found.push(callRisks(fields, context));
    if (name === 'RangeVar') {
      const relation = findRelation(context.catalogue, fields);
      if (relation !== null)
        found.push(danger([], relationRisks(relationKey(relation.schema, relation.name))));
    }
    found.push(writeDanger(name, fields, context));
  }
  return together(found);
}
