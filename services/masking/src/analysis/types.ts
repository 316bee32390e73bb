import { type Fields, type Node, namesOf, objectsOf } from '../tree/index.js';
import type { Analysis } from './analysis.js';
import type { TargetContext } from './context.js';

/** PostgreSQL's FirstNormalObjectId (src/include/access/transam.h): what an owner made has this OID or a higher one. */
const FIRST_OWN_OID = 16_384;

function asksQuestions(context: TargetContext, key: string): boolean {
  const calls = context.catalogue.types[key]?.calls ?? [];
  return calls.some((routine) => context.routines[routine]?.clean !== true);
}

/** Refuses a type whose checks or casts call what is not understood: a value put to it would ask a question. */
function vetType(state: Analysis, names: readonly string[]): void {
  const { searchPath } = state.context.catalogue;
  const schemas = names.length === 2 ? [names[0] ?? ''] : searchPath;
  for (const key of schemas.map((schema) => `${schema}.${names.at(-1) ?? ''}`))
    if (asksQuestions(state.context, key)) state.refuse(`what the checks or casts of the type ${key} read`);
}

/** Vets each type that a statement names, wherever it does: in casts, column definitions, RETURNING of JSON. */
export function vetTypes(state: Analysis, node: Node): void {
  for (const { name, fields } of objectsOf(node))
    if (/^typeName$/i.test(name)) vetType(state, namesOf((fields as TypeNameLike).names) ?? []);
}

type TypeNameLike = Fields & { readonly names?: Node[] };

/** Refuses what may put a value to any type, where some type asks questions. */
export function vetTypesByName(state: Analysis): void {
  if (Object.keys(state.context.catalogue.types).some((key) => asksQuestions(state.context, key)))
    state.refuse('a type that is not named in the statement itself');
}

/** Whether parameters are declared to be of types that ask questions: only their OIDs are told. */
export function declaresOwnTypes(context: TargetContext, parameterTypes: readonly number[]): boolean {
  return (
    parameterTypes.some((oid) => oid >= FIRST_OWN_OID) &&
    Object.keys(context.catalogue.types).some((key) => asksQuestions(context, key))
  );
}
