// OPA as a Go tool of the module in this folder (go.mod): no installation, one exact version.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const policies = fileURLToPath(new URL('..', import.meta.url));
export const bundleFile = join(policies, 'bundle.tar.gz');
/** The policy's folder as opa is told: the path ends up in what it builds, so it is always this one. */
export const sourcesArgument = 'gateway';

/** Runs opa; gives what it wrote. Throws with its own words when it fails. */
export function opa(args, { cwd = policies, input } = {}) {
  const { status, stdout, stderr, error } = spawnSync(opaFile(), args, {
    cwd,
    input,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`opa ${args[0]} failed:\n${stdout}${stderr}`);
  return stdout;
}

/** How long Go may take to fetch and compile the tool, milliseconds. */
const patience = 300_000;

let found;

/** Where Go keeps the compiled tool. The first call on a machine compiles it, which takes minutes. */
export function opaFile() {
  if (found !== undefined) return found;
  const { status, stdout, stderr, error } = spawnSync('go', ['tool', '-n', 'opa'], {
    cwd: policies,
    encoding: 'utf8',
    timeout: patience,
  });
  if (error?.code === 'ENOENT') throw new ToolMissing('go is not on the PATH');
  if (error || status !== 0) throw new ToolMissing(`go cannot give the tool: ${stderr || error?.message}`);
  found = stdout.trim();
  return found;
}

/** Go or the tool's modules cannot be had on this machine. */
class ToolMissing extends Error {}

/** Why opa cannot be run here, null where it can. */
export function whyNoOpa() {
  try {
    opaFile();
    return null;
  } catch (error) {
    if (error instanceof ToolMissing) return error.message.trim();
    throw error;
  }
}

/** Calls with a folder that is gone afterwards. */
export async function inTemporaryFolder(use) {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-policies-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes OPA's capabilities without every built-in that builtins.json does not name. */
export function writeCapabilities(file) {
  const { compiled, host } = JSON.parse(readFileSync(join(policies, 'builtins.json'), 'utf8'));
  const capabilities = JSON.parse(opa(['capabilities', '--current']));
  capabilities.builtins = capabilities.builtins.filter(({ name }) => [...compiled, ...host].includes(name));
  writeFileSync(file, JSON.stringify(capabilities));
}
