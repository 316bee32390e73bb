import {
  canonicalJson,
  type Facts,
  type maskingRpc,
  type Operation,
  type ReleasePlan,
  type ReleaseStrategy,
  type RequestShape,
} from '@countersign/contracts';

type Result = NonNullable<maskingRpc.RewriteResponse['result']>;

/** What the one profile of the tests does with a label; the others are released by masking. */
const STRATEGIES: Readonly<Record<string, ReleaseStrategy>> = {
  'person.name': { strategy: 'redact' },
  'person.note': { strategy: 'null' },
  'contact.phone': { strategy: 'partial', keepLast: 2 },
  'person.birth_date': { strategy: 'generalise', to: 'year' },
};

/** Facts of a request as the masking service gives them, without its care. */
export function requestFactsOf(text: string, operations: readonly Operation[]): Facts {
  const shape = JSON.parse(text) as RequestShape;
  const operation = operations.find((one) => one.operation === shape.operation);
  const verbs = operation?.verbs ?? [];
  return {
    version: 1,
    protocol: 'http',
    statements: 1,
    kind: shape.method,
    transaction: null,
    verbs,
    risks: operation?.risks ?? [],
    objects: operation === undefined ? [] : [{ name: operation.object, kind: 'resource', verbs }],
    unknownObjects:
      operation === undefined
        ? 1
        : shape.query.filter((name) => !Object.hasOwn(operation.query, name)).length +
          (shape.body === null || operation.body.includes(shape.body) ? 0 : 1),
    labels: Object.entries(operation?.labels ?? {}).map(([pointer, label]) => ({
      label,
      column: `${operation?.operation}#${pointer}`,
      uses: ['output'],
    })),
    parameters: { count: shape.query.length },
  };
}

export function requestPlanOf(text: string, operations: readonly Operation[]): Result {
  const shape = JSON.parse(text) as RequestShape;
  const operation = operations.find((one) => one.operation === shape.operation);
  const labels = Object.entries(operation?.labels ?? {}).sort(([left], [right]) => (left < right ? -1 : 1));
  const plan: ReleasePlan = {
    version: 1,
    fields: labels.map(([pointer, label]) => ({
      pointer,
      ...(STRATEGIES[label] ?? { strategy: 'release' as const }),
    })),
    rows: operation?.rows ?? null,
  };
  return {
    $case: 'rewritten',
    value: {
      statement: canonicalJson(plan),
      masked: labels.length > 0,
      releasedColumns: labels.flatMap(([, label], index) =>
        STRATEGIES[label] === undefined ? [{ index, label }] : [],
      ),
    },
  };
}
