import { canonicalJson, digestOf, type Facts, opaqueFacts } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { declaresOwnTypes, notUnderstood, type TargetContext } from '../analysis/index.js';
import { factsOf } from '../facts/index.js';
import { NO_PROFILE } from '../labels/index.js';
import type { Grammar, Parsed } from '../parsing/index.js';
import { type Rewrite, rewrite } from '../rewrite/index.js';

/** Largest facts, in bytes of canonical JSON. */
export const FACTS_BYTES = 48 * 1024;

export interface StatementInput {
  readonly statement: string;
  readonly parameterTypes: readonly number[];
}

export interface RewriteInput {
  readonly profile: string;
  readonly lookups: readonly string[];
  /** OIDs as the agent declares them; 0 for unspecified. */
  readonly parameterTypes: readonly number[];
}

export interface Inspected {
  /** RFC 8785 canonical JSON of Facts. */
  readonly facts: string;
  readonly factsDigest: string;
}

/** Whether the parser that gave this must not be used again. */
export function isPoisoned(parsed: Parsed): boolean {
  return parsed.kind === 'too-large' && parsed.poisoned;
}

/** @throws statement.too_complex where facts are larger than can be recorded */
export function described(facts: Facts): Inspected {
  const text = canonicalJson(facts);
  if (Buffer.byteLength(text) > FACTS_BYTES) throw new CountersignError('statement.too_complex');
  return { facts: text, factsDigest: digestOf(text) };
}

/**
 * Facts of a message.
 * @throws statement.too_complex where they are larger than can be recorded
 */
export function inspectParsed(parsed: Parsed, input: StatementInput, context: TargetContext): Inspected {
  if (parsed.kind !== 'parsed') return described(opaqueFacts(parsed.kind));
  return described(factsOf(parsed.statements, input.parameterTypes.length, context));
}

/**
 * What really runs of a message under a profile.
 * @throws statement.unparsable, statement.too_large, masking.profile_unknown
 */
export function rewriteParsed(
  parsed: Parsed,
  { profile, lookups, parameterTypes }: RewriteInput,
  context: TargetContext,
  grammar: Grammar,
  own: Grammar = grammar,
): Rewrite {
  if (profile !== NO_PROFILE && !Object.hasOwn(context.labels.profiles, profile))
    throw new CountersignError('masking.profile_unknown');
  if (parsed.kind === 'unparsable') throw new CountersignError('statement.unparsable');
  if (parsed.kind === 'too-large') throw new CountersignError('statement.too_large');
  if (declaresOwnTypes(context, parameterTypes)) {
    const problem = notUnderstood('a parameter of a type of its own', 'Declare no types of parameters.');
    return { kind: 'refused', problem };
  }
  return rewrite({ statements: parsed.statements, profile, lookups }, context, grammar, own);
}
