import type { AnalysisOptions, Sensitive, TargetContext } from '../analysis/index.js';
import type { Column } from '../catalogue/index.js';
import { NO_PROFILE, type Strategy, strategyOf } from '../labels/index.js';
import { COMPUTED, type Mask, maskOf } from '../strategies/index.js';

/** What a profile does with the values of a column: of one that is computed from labelled ones, nothing is kept. */
function strategyFor(context: TargetContext, profile: string, sensitive: Sensitive): Strategy {
  if (profile === NO_PROFILE) return { strategy: 'null' };
  const strategies = sensitive.sources.map(({ label }) => strategyOf(context.labels, profile, label));
  const [first] = strategies;
  if (first === undefined || strategies.every(({ strategy }) => strategy === 'keep'))
    return { strategy: 'keep' };
  return sensitive.bare && sensitive.sources.every(({ label }) => label === sensitive.sources[0]?.label)
    ? first
    : COMPUTED;
}

/** How the columns of a target are masked under a profile. */
export function masksUnder(
  context: TargetContext,
  profile: string,
): (sensitive: Sensitive, column: Column) => Mask {
  return (sensitive, column) =>
    maskOf(strategyFor(context, profile, sensitive), column.type, context.catalogue);
}

export function optionsUnder(
  context: TargetContext,
  profile: string,
  lookups: readonly string[],
): AnalysisOptions {
  return { mask: masksUnder(context, profile), lookups: new Set(lookups), argumentNames: new Set() };
}
