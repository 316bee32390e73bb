import type { LoadedPolicy } from '@open-policy-agent/opa-wasm';

/**
 * Built-ins that @open-policy-agent/opa-wasm 1.10.0 provides beside those compiled into the WebAssembly. All are pure.
 * `policies/builtins.json` names the same ones, so that a policy which needs another is refused when it is built.
 */
export const hostBuiltins: readonly string[] = [
  'json.is_valid',
  'regex.split',
  'sprintf',
  'yaml.is_valid',
  'yaml.marshal',
  'yaml.unmarshal',
];

/** Names of the built-ins that a compiled policy asks of its host (OPA's WebAssembly ABI: the export `builtins`). */
export function requiredBuiltins(policy: LoadedPolicy): readonly string[] {
  const { wasmInstance, mem } = policy;
  const exports = 'exports' in wasmInstance ? wasmInstance.exports : wasmInstance.instance.exports;
  const address = call(exports.opa_json_dump, call(exports.builtins));
  const bytes = new Uint8Array(mem.buffer);
  const end = bytes.indexOf(0, address);
  const names: unknown = JSON.parse(new TextDecoder().decode(bytes.slice(address, end)));
  if (typeof names !== 'object' || names === null) throw new TypeError('The built-ins are no object.');
  return Object.keys(names);
}

/** Those that nobody provides. */
export function unprovided(required: readonly string[]): readonly string[] {
  return required.filter((name) => !hostBuiltins.includes(name)).sort();
}

function call(exported: WebAssembly.ExportValue | undefined, ...values: number[]): number {
  if (typeof exported !== 'function') throw new TypeError('A function of the ABI is missing.');
  const value: unknown = exported(...values);
  if (typeof value !== 'number') throw new TypeError('A function of the ABI gives no address.');
  return value;
}
