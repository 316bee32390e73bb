import { maskingRpc } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { implement, type ServiceRegistration } from '@countersign/rpc';
import { described, type EnginePool } from '../engine/index.js';
import { planOf, readShape, requestFacts } from '../http/index.js';
import type { Releaser } from '../release/index.js';
import type { Rewrite } from '../rewrite/index.js';
import type { Targets } from '../targets/index.js';

export interface MaskingApiParts {
  readonly targets: Targets;
  readonly pool: EnginePool;
  readonly releaser: Releaser;
  /** Aborted when the service stops: it ends the streams. */
  readonly signal: AbortSignal;
  onRewritten?(outcome: string): void;
}

function input(context: maskingRpc.StatementContext | undefined) {
  if (context === undefined)
    throw new CountersignError('request.invalid', { detail: 'The request lacks its context.' });
  const { statement, parameterTypes, target } = context;
  return { target, input: { statement, parameterTypes } };
}

function resultOf(rewrite: Rewrite): NonNullable<maskingRpc.RewriteResponse['result']> {
  if (rewrite.kind === 'refused') return { $case: 'refusal', value: { ...rewrite.problem } };
  const { statement, masked, releasedColumns } = rewrite;
  return { $case: 'rewritten', value: { statement, masked, releasedColumns: [...releasedColumns] } };
}

/** MaskingService (proto/countersign/masking/v1). */
export function maskingApi(parts: MaskingApiParts): ServiceRegistration {
  const { targets, pool, releaser } = parts;
  return implement(maskingRpc.MaskingServiceService, {
    async inspect({ context }) {
      const statement = input(context);
      const http = targets.httpContext(statement.target);
      if (http !== null) {
        const inspected = described(requestFacts(readShape(statement.input.statement), http));
        return {
          facts: Buffer.from(inspected.facts),
          factsDigest: inspected.factsDigest,
          contextDigest: http.digest,
        };
      }
      const { facts, factsDigest, contextDigest } = await pool.run({ kind: 'inspect', ...statement });
      return { facts: Buffer.from(facts), factsDigest, contextDigest };
    },
    async rewrite({ context, profile, lookups }) {
      const statement = input(context);
      const http = targets.httpContext(statement.target);
      const { rewrite, contextDigest } =
        http === null
          ? await pool.run({ kind: 'rewrite', ...statement, profile, lookups })
          : {
              rewrite: planOf(readShape(statement.input.statement), profile, lookups, http),
              contextDigest: http.digest,
            };
      parts.onRewritten?.(rewrite.kind === 'refused' ? rewrite.problem.code : 'rewritten');
      return { result: resultOf(rewrite), contextDigest };
    },
    release({ target, profile, cells }) {
      return { values: releaser.release(target, targets.labelsOf(target), profile, cells) };
    },
    catalogueQueries({ target }) {
      return { queries: targets.queriesOf(target) };
    },
    async loadCatalogue({ target, results }) {
      return { contextDigest: await targets.load(target, results) };
    },
    async *watch(_request, { signal }) {
      const either = AbortSignal.any([signal, parts.signal]);
      for await (const { name, value } of targets.announcements.follow(either))
        yield { target: name, contextDigest: value };
    },
  });
}
