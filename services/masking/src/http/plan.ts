import {
  canonicalJson,
  type ReleasePlan,
  type ReleaseStrategy,
  type RequestShape,
} from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { NO_PROFILE, type Strategy, strategyOf } from '../labels/index.js';
import type { Rewrite } from '../rewrite/index.js';
import { comparedLabels, operationOf } from './facts.js';
import type { HttpContext } from './operations.js';

/**
 * What must be done to the answer of a request under a profile, or a refusal where what it compares with is hidden.
 * @throws masking.profile_unknown
 */
export function planOf(
  shape: RequestShape,
  profile: string,
  lookups: readonly string[],
  context: HttpContext,
): Rewrite {
  if (profile !== NO_PROFILE && !Object.hasOwn(context.labels.profiles, profile))
    throw new CountersignError('masking.profile_unknown');
  const operation = operationOf(shape, context);
  if (operation === null) return refused('masking.not_understood', 'No such operation is declared.', '');
  const hidden = comparedLabels(shape, operation).find(
    ({ label }) => !lookups.includes(label) && underProfile(context, profile, label).strategy !== 'keep',
  );
  if (hidden !== undefined)
    return refused(
      'masking.opaque_predicate',
      'The request is compared with values that are hidden.',
      'Ask by something that is not hidden, such as an id.',
    );
  const fields = Object.entries(operation.labels)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .flatMap(([pointer, label]) => {
      const strategy = releaseStrategy(underProfile(context, profile, label));
      return strategy === null ? [] : [{ pointer, label, ...strategy }];
    });
  const plan: ReleasePlan = {
    version: 1,
    fields: fields.map(({ label: _, ...field }) => field),
    rows: operation.rows,
  };
  return {
    kind: 'rewritten',
    statement: canonicalJson(plan),
    masked: fields.length > 0,
    releasedColumns: fields.flatMap(({ strategy, label }, index) =>
      strategy === 'release' ? [{ index, label }] : [],
    ),
  };
}

function underProfile(context: HttpContext, profile: string, label: string): Strategy {
  return profile === NO_PROFILE ? { strategy: 'null' } : strategyOf(context.labels, profile, label);
}

/** How the gateway carries a strategy out; null where the field stays as it is. */
function releaseStrategy(strategy: Strategy): ReleaseStrategy | null {
  switch (strategy.strategy) {
    case 'keep':
      return null;
    case 'partial':
      return { strategy: 'partial', keepLast: strategy.keep_last };
    case 'generalise':
      return { strategy: 'generalise', to: strategy.to };
    case 'surrogate':
    case 'detect':
      return { strategy: 'release' };
    case 'redact':
    case 'null':
      return { strategy: strategy.strategy };
  }
}

function refused(
  code: 'masking.not_understood' | 'masking.opaque_predicate',
  reason: string,
  wayOut: string,
): Rewrite {
  return { kind: 'refused', problem: { code, reason, wayOut } };
}
