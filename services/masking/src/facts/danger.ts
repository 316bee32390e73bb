import type { Risk, Verb } from '@countersign/contracts';
import { risks, verbs } from '@countersign/contracts';

/** What a statement does, and what is dangerous about it. */
export interface Danger {
  readonly verbs: readonly Verb[];
  readonly risks: readonly Risk[];
}

export const none: Danger = { verbs: [], risks: [] };

export function danger(does: readonly Verb[], risky: readonly Risk[]): Danger {
  return { verbs: does, risks: risky };
}

/** All that several parts do, sorted and without repetition. */
export function together(parts: readonly Danger[]): Danger {
  const does = new Set(parts.flatMap((part) => part.verbs));
  const risky = new Set(parts.flatMap((part) => part.risks));
  return {
    verbs: verbs.filter((verb) => does.has(verb)).sort(),
    risks: risks.filter((risk) => risky.has(risk)).sort(),
  };
}
