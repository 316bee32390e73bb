import type { Risk } from '@countersign/contracts';
import type { TargetContext } from '../analysis/index.js';
import { findFunction } from '../analysis/index.js';
import { type Fields, type Node, namesOf } from '../tree/index.js';
import { type Danger, danger } from './danger.js';
import { functionRisks, settingRisks } from './risk-names.js';

/** Risks of a call: by name, and because nobody knows what a volatile routine does. */
export function callRisks(call: Fields, context: TargetContext): Danger {
  const funcname = call.funcname as Node[] | undefined;
  const name = namesOf(funcname)?.at(-1) ?? '';
  const risks: Risk[] = [...functionRisks(name)];
  const finding = findFunction(context, funcname === undefined ? {} : { funcname });
  if (finding.kind === 'routine') {
    const routines = finding.keys.flatMap((key) => context.catalogue.routines[key] ?? []);
    if (routines.some(({ volatility }) => volatility === 'volatile')) risks.push('dynamic-sql');
  }
  if (name === 'set_config') {
    const [setting] = (call.args as Node[] | undefined) ?? [];
    const constant = setting !== undefined && 'A_Const' in setting ? setting.A_Const.sval?.sval : undefined;
    // A name that is computed may be any setting.
    risks.push(...(constant === undefined ? (['role-change'] as const) : settingRisks(constant)));
  }
  return danger([], risks);
}
