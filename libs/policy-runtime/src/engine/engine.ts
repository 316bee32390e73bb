import { CountersignError } from '@countersign/errors';

// Its module for import lacks loadPolicySync, whatever its types say.
import opa = require('@open-policy-agent/opa-wasm');

import { type Bundle, entrypoint, invalid } from '../bundle/index.js';
import { requiredBuiltins, unprovided } from './builtins.js';

/** Memory of one instance in pages of 64 KiB: 1 MiB at first, 32 MiB at most. */
const memory = { initial: 16, maximum: 512 } as const;

/** Evaluates a compiled policy. One input after the other; nothing of one evaluation is left for the next. */
export interface Engine {
  /**
   * The result set for an input as JSON text.
   * @throws policy.failed when the policy traps or needs what is not there
   */
  evaluate(input: string): unknown;
}

/**
 * Compiles a bundle and makes sure that all it needs is there.
 * @throws policy.bundle_invalid
 */
export async function createEngine(bundle: Bundle): Promise<Engine> {
  const module = await compile(bundle.wasm);
  let instance: opa.LoadedPolicy | null = instantiate(module, bundle.data);
  return {
    evaluate(input) {
      try {
        instance ??= instantiate(module, bundle.data);
        return instance.evaluate(bytesOf(input), entrypoint);
      } catch (cause) {
        // After a trap the instance's memory is in no known state; the next input gets a new one.
        instance = null;
        throw new CountersignError('policy.failed', { cause });
      }
    },
  };
}

async function compile(wasm: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(wasm);
  } catch (cause) {
    throw invalid('Its policy.wasm is no WebAssembly.', cause);
  }
}

function instantiate(module: WebAssembly.Module, data: string): opa.LoadedPolicy {
  let policy: opa.LoadedPolicy;
  let missing: readonly string[];
  try {
    policy = opa.loadPolicySync(module, { ...memory });
    missing = unprovided(requiredBuiltins(policy));
    policy.setData(bytesOf(data));
  } catch (cause) {
    throw invalid('Its policy.wasm is no compiled policy.', cause);
  }
  if (missing.length > 0) throw invalid(`It needs built-ins that do not exist here: ${missing.join(', ')}.`);
  const entrypoints: unknown = policy.entrypoints;
  if (typeof entrypoints !== 'object' || entrypoints === null || !Object.hasOwn(entrypoints, entrypoint)) {
    throw invalid(`It has no entrypoint ${entrypoint}.`);
  }
  return policy;
}

/** The library takes an ArrayBuffer for finished JSON text, and would turn a view of one into an empty object. */
function bytesOf(text: string): ArrayBuffer {
  const encoded = new TextEncoder().encode(text);
  const buffer = new ArrayBuffer(encoded.length);
  new Uint8Array(buffer).set(encoded);
  return buffer;
}
