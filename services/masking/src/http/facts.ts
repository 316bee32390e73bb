import type { Facts, LabelFact, Operation, RequestShape } from '@countersign/contracts';
import type { HttpContext } from './operations.js';

/** Facts of a request: a pure function of its shape, the declared operations and the labels. */
export function requestFacts(shape: RequestShape, context: HttpContext): Facts {
  const operation = operationOf(shape, context);
  const known: Facts = {
    version: 1,
    protocol: 'http',
    statements: 1,
    kind: shape.method,
    transaction: null,
    verbs: [],
    risks: [],
    objects: [],
    unknownObjects: 0,
    labels: [],
    parameters: { count: shape.query.length },
  };
  if (operation === null) return { ...known, unknownObjects: 1 };
  const verbs = sorted(operation.verbs);
  return {
    ...known,
    verbs,
    risks: sorted(operation.risks),
    objects: [{ name: operation.object, kind: 'resource', verbs }],
    unknownObjects: unknownParts(shape, operation),
    labels: labelFacts(shape, operation),
  };
}

/** The declared operation that a request asks for; null where there is none. */
export function operationOf(shape: RequestShape, context: HttpContext): Operation | null {
  const operation = shape.operation === null ? undefined : context.operations.get(shape.operation);
  // A name with another method would be a fault of whoever matched it.
  return operation?.operation.startsWith(`${shape.method} `) === true ? operation : null;
}

/** Labels of what the request's query and path are compared with: whoever may ask, learns whether it matches. */
export function comparedLabels(shape: RequestShape, operation: Operation): readonly LabelFact[] {
  const fact = (place: string, label: string): LabelFact => ({
    label,
    column: `${operation.operation}#${place}`,
    uses: ['predicate'],
  });
  return [
    ...Object.entries(operation.path).map(([name, label]) => fact(`{${name}}`, label)),
    ...shape.query.flatMap((name) => {
      const label = Object.hasOwn(operation.query, name) ? operation.query[name] : null;
      return label === null || label === undefined ? [] : [fact(`?${name}`, label)];
    }),
  ];
}

function labelFacts(shape: RequestShape, operation: Operation): LabelFact[] {
  const answered = Object.entries(operation.labels).map(
    ([pointer, label]): LabelFact => ({
      label,
      column: `${operation.operation}#${pointer}`,
      uses: ['output'],
    }),
  );
  return [...answered, ...comparedLabels(shape, operation)].sort((left, right) =>
    left.column < right.column ? -1 : 1,
  );
}

function unknownParts(shape: RequestShape, operation: Operation): number {
  const unknownNames = shape.query.filter((name) => !Object.hasOwn(operation.query, name));
  const unknownBody = shape.body !== null && !operation.body.includes(shape.body);
  return unknownNames.length + (unknownBody ? 1 : 0);
}

function sorted<Word extends string>(words: readonly Word[]): Word[] {
  return [...new Set(words)].sort();
}
