import { createHash } from 'node:crypto';
import {
  canonicalJson,
  digestOf,
  type Facts,
  maskingRpc,
  type Operation,
  opaqueFacts,
  type Risk,
  type Verb,
} from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { implement, type ServiceRegistration } from '@countersign/rpc';
import { Broadcast } from './broadcast.js';
import { requestFactsOf, requestPlanOf } from './fake-requests.js';

/**
 * A masking service of a few regular expressions: enough to drive the gate through all its branches over the real
 * protocol. It understands nothing of SQL.
 */
export class FakeMasking {
  readonly calls = { inspect: 0, rewrite: 0, release: 0, load: 0 };
  readonly watchers = new Broadcast<maskingRpc.WatchResponse>();
  readonly loaded = new Map<string, string>();
  readonly #operations = new Map<string, readonly Operation[]>();
  version = 1;

  get registration(): ServiceRegistration {
    return implement(maskingRpc.MaskingServiceService, {
      inspect: ({ context }) => {
        this.calls.inspect += 1;
        const contextDigest = this.#context(context?.target ?? '');
        const text = context?.statement ?? '';
        const operations = this.#operations.get(context?.target ?? '');
        const described =
          operations === undefined
            ? factsOf(text, context?.parameterTypes.length ?? 0)
            : requestFactsOf(text, operations);
        const facts = Buffer.from(canonicalJson(described));
        return { facts, factsDigest: digestOf(facts), contextDigest };
      },
      rewrite: ({ context, profile }) => {
        this.calls.rewrite += 1;
        const contextDigest = this.#context(context?.target ?? '');
        const text = context?.statement ?? '';
        const operations = this.#operations.get(context?.target ?? '');
        const result = operations === undefined ? rewriteOf(text, profile) : requestPlanOf(text, operations);
        return { result, contextDigest };
      },
      release: ({ cells }) => {
        this.calls.release += 1;
        return { values: cells.map(({ value }) => Buffer.from(surrogateOf(value))) };
      },
      catalogueQueries: () => ({
        queries: [
          {
            name: 'tables',
            statement: "SELECT relname FROM pg_catalog.pg_class WHERE relkind = 'r' ORDER BY 1",
          },
          { name: 'path', statement: "SELECT pg_catalog.current_setting('search_path') AS path" },
        ],
      }),
      loadCatalogue: ({ target, results }) => {
        this.calls.load += 1;
        const operations = results.find(({ name }) => name === 'operations')?.rows;
        if (operations !== undefined) {
          this.#operations.set(target, JSON.parse(operations.toString()) as readonly Operation[]);
        }
        const contextDigest = digestOf(
          `${this.version} ${results.map((result) => result.rows.toString()).join(' ')}`,
        );
        this.loaded.set(target, contextDigest);
        this.watchers.send({ target, contextDigest });
        return { contextDigest };
      },
      watch: (_request, { signal }) =>
        this.watchers.subscribe(
          [...this.loaded].map(([target, contextDigest]) => ({ target, contextDigest })),
          signal,
        ),
    });
  }

  #context(target: string): string {
    const digest = this.loaded.get(target);
    if (digest === undefined) throw new CountersignError('masking.catalogue_missing');
    return digest;
  }
}

export function surrogateOf(value: Uint8Array): string {
  return `surrogate-${createHash('sha256').update(value).digest('hex').slice(0, 8)}`;
}

const VERBS: readonly (readonly [RegExp, Verb])[] = [
  [/\bselect\b/i, 'read'],
  [/\binsert\b/i, 'insert'],
  [/\bupdate\b/i, 'update'],
  [/\bdelete\b/i, 'delete'],
  [/\btruncate\b/i, 'truncate'],
  [/\b(create|alter|drop)\b/i, 'ddl'],
];
const TRANSACTIONS: readonly (readonly [RegExp, Facts['transaction']])[] = [
  [/^\s*(begin|start transaction)\b/i, 'begin'],
  [/^\s*(commit|end)\b/i, 'commit'],
  [/^\s*rollback to\b/i, 'rollback-to'],
  [/^\s*rollback\b/i, 'rollback'],
  [/^\s*savepoint\b/i, 'savepoint'],
];

export function factsOf(statement: string, parameters: number): Facts {
  if (/\bsyntax error\b/i.test(statement)) return opaqueFacts('unparsable');
  const transaction = TRANSACTIONS.find(([pattern]) => pattern.test(statement))?.[1] ?? null;
  const verbs = VERBS.filter(([pattern]) => pattern.test(statement)).map(([, verb]) => verb);
  const risks: Risk[] = [
    ...(verbs.includes('ddl') ? (['ddl'] as const) : []),
    ...(/\bdelete\b(?!.*\bwhere\b)/i.test(statement) ? (['unbounded-write'] as const) : []),
    ...(/\bcopy\b/i.test(statement) ? (['copy-out'] as const) : []),
    ...(transaction === null ? [] : (['transaction'] as const)),
  ].sort();
  const labelled = ['email', 'full_name'].filter((column) =>
    new RegExp(`\\b${column}\\b`, 'i').test(statement),
  );
  return {
    version: 1,
    protocol: 'postgresql',
    statements: 1,
    kind: 'Statement',
    transaction,
    verbs: [...verbs].sort(),
    risks,
    objects: /\bcustomers\b/i.test(statement)
      ? [{ name: 'shop.customers', kind: 'table', verbs: verbs.includes('read') ? ['read'] : [] }]
      : [],
    unknownObjects: 0,
    labels: labelled.map((column) => ({
      label: column === 'email' ? 'contact.email' : 'person.name',
      column: `shop.customers.${column}`,
      uses: ['output'],
    })),
    parameters: { count: parameters },
  };
}

function rewriteOf(statement: string, profile: string): NonNullable<maskingRpc.RewriteResponse['result']> {
  if (/\bwhere full_name\b/i.test(statement)) {
    return {
      $case: 'refusal',
      value: {
        code: 'masking.opaque_predicate',
        reason: 'The column full_name is hidden.',
        wayOut: 'Filter by city.',
      },
    };
  }
  if (profile === 'none') {
    return { $case: 'rewritten', value: { statement, releasedColumns: [], masked: false } };
  }
  const text = statement.replace(
    /\bfrom customers\b/i,
    "FROM (SELECT id, email, 'hidden'::text AS full_name, city, points FROM shop.customers) AS customers",
  );
  const label = 'contact.email';
  const released = [
    ...(/^select points, email\b/i.test(statement) ? [{ index: 0, label }] : []),
    ...(/^select (id|points), email\b/i.test(statement) ? [{ index: 1, label }] : []),
  ];
  return { $case: 'rewritten', value: { statement: text, releasedColumns: released, masked: true } };
}
