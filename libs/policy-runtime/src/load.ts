import type { Decision, Digest, PolicyInput } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { invalid, readBundle } from './bundle/index.js';
import { decisionOf, inputText, readInput } from './decision/index.js';
import { createEngine, type Engine } from './engine/index.js';

/** A policy that can be asked. Pure: the same input gives the same bytes of decision, for ever. */
export interface LoadedPolicy {
  /** Digest of the sources, the name of this policy in events. */
  readonly policyDigest: Digest;
  /** Digest of the bundle's exact bytes. */
  readonly bundleDigest: Digest;
  /**
   * @throws request.invalid, request.too_large: an input that no recorded event can give
   * @throws policy.failed: the policy gave no answer, or none that is a decision
   */
  decide(input: PolicyInput): Decision;
  /** Decides on the canonical JSON (RFC 8785) of an input; throws as `decide` does. */
  decideBytes(input: Uint8Array): Decision;
}

/**
 * Loads a compiled bundle and tries it once: it has to refuse an empty input.
 * The WebAssembly runs in this thread without a time limit; give a bundle from a stranger a thread of its own.
 * @throws policy.bundle_invalid
 */
export async function loadPolicy(archive: Uint8Array): Promise<LoadedPolicy> {
  const bundle = readBundle(archive);
  const engine = await createEngine(bundle);
  tryOut(engine);
  return {
    policyDigest: bundle.policyDigest,
    bundleDigest: bundle.bundleDigest,
    decide: (input) => evaluate(engine, inputText(input)),
    decideBytes: (input) => evaluate(engine, readInput(input)),
  };
}

function evaluate(engine: Engine, input: string): Decision {
  const decision = decisionOf(engine.evaluate(input));
  if (decision === null) {
    throw new CountersignError('policy.failed', { detail: 'Its answer is not a decision.' });
  }
  return decision;
}

function tryOut(engine: Engine): void {
  let decision: Decision;
  try {
    decision = evaluate(engine, '{}');
  } catch (cause) {
    throw invalid('It does not answer.', cause);
  }
  if (decision.verdict !== 'deny') throw invalid('It does not refuse an empty input.');
}
