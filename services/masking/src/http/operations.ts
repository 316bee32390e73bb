import { digestOfJson, type Operation, risks, verbs } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { z } from 'zod';
import type { Labels } from '../labels/index.js';

/** Under this name the ingress hands over the operations of an HTTP target: they are its catalogue. */
export const OPERATIONS = 'operations';

const operationsShape = z
  .array(
    z.strictObject({
      operation: z.string().regex(/^[A-Z]+ \/\S*$/),
      object: z.string().min(1),
      verbs: z.array(z.enum(verbs)).min(1),
      risks: z.array(z.enum(risks)),
      query: z.record(z.string(), z.string().nullable()),
      path: z.record(z.string(), z.string()),
      body: z.array(z.string()),
      labels: z.record(z.string().regex(/^(\/([^~]|~[01])*)?$/), z.string()),
      rows: z.string().nullable(),
    }),
  )
  .max(2000);

/** All that the analysis of requests rests on for one target. */
export interface HttpContext {
  readonly target: string;
  readonly operations: ReadonlyMap<string, Operation>;
  readonly labels: Labels;
  /** "sha256:<hex>" of operations, labels and the version of the analysis. */
  readonly digest: string;
}

const VERSION = 1;

/**
 * The context that declared operations make with a target's labels.
 * @throws request.invalid for what are no operations, config.invalid for a label that the vocabulary lacks
 */
export function describeOperations(
  target: string,
  results: readonly { readonly name: string; readonly rows: Uint8Array }[],
  labels: Labels,
): HttpContext {
  const operations = readOperations(results);
  for (const { operation, path, query, labels: fields } of operations)
    for (const label of [...Object.values(fields), ...Object.values(path), ...Object.values(query)])
      if (label !== null && !Object.hasOwn(labels.vocabulary, label))
        throw new CountersignError('config.invalid', {
          detail: `${operation} has a label that the vocabulary lacks.`,
        });
  return {
    target,
    operations: new Map(operations.map((operation) => [operation.operation, operation])),
    labels,
    digest: digestOfJson({ version: VERSION, target, operations, labels }),
  };
}

function readOperations(
  results: readonly { readonly name: string; readonly rows: Uint8Array }[],
): readonly Operation[] {
  const bytes = results.find(({ name }) => name === OPERATIONS)?.rows;
  try {
    return operationsShape.parse(JSON.parse(Buffer.from(bytes ?? []).toString('utf8')));
  } catch {
    throw new CountersignError('request.invalid', { detail: 'The operations cannot be read.' });
  }
}
