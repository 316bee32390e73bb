// The way into a fresh clone: `npm test` and `npm start` come here before anything is installed, so this
// file uses nothing but Node 20 and npm. What follows the installation runs on the Node of node_modules.
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFolders } from '../tools/files.mjs';

const OLDEST_NODE = 20;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name) => join(root, 'node_modules/.bin', name);
const readJson = (...path) => JSON.parse(readFileSync(join(root, ...path), 'utf8'));
const environment = {
  ...process.env,
  PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH ?? ''}`,
  // Without npm's banner around each package's tests.
  npm_config_loglevel: 'error',
  NX_DAEMON: 'false',
  NX_NO_CLOUD: 'true',
  NX_TUI: 'false',
};

/** The process that runs now; signals are passed on to it. */
let child;
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true;
    child?.kill(signal);
  });
}

/** Runs a command in the foreground and resolves to its exit status, 128 + n after signal n. */
function run(command, args) {
  return new Promise((resolve, reject) => {
    child = spawn(command, args, { cwd: root, env: environment, stdio: 'inherit' });
    child.once('error', reject);
    child.once('exit', (status, signal) => resolve(status ?? 128 + constants.signals[signal]));
  });
}

/** Runs a command as a named step; resolves to whether it succeeded. */
async function step(title, command, args) {
  console.log(`▶ ${title}`);
  const started = performance.now();
  const status = await run(command, args);
  if (interrupted) process.exit(status || 130);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${status === 0 ? '✔' : '✖'} ${title} (${seconds} s)`);
  return status === 0;
}

function stop(message) {
  console.error(message);
  process.exit(1);
}

/** Whether node_modules holds what the lock file asks for. npm writes its own record last of all. */
function isInstalled() {
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return false;
  const wanted = readJson('package-lock.json').packages;
  const found = readJson('node_modules/.package-lock.json').packages;
  return Object.entries(wanted).every(
    ([path, { version, link, optional }]) =>
      !path.includes('node_modules/') ||
      optional ||
      (link ? found[path]?.link : found[path]?.version === version),
  );
}

async function install() {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    stop(`Countersign needs Node ${OLDEST_NODE} or newer to start; this is ${process.version}.`);
  }
  if (!isInstalled()) {
    const npm = process.env.npm_execpath;
    const args = ['ci', '--loglevel=error'];
    const installed = npm
      ? await step('Install', process.execPath, [npm, ...args])
      : await step('Install', 'npm', args);
    if (!installed) stop('The installation failed; the lines above say why.');
  }
  const { node } = readJson('package.json').devDependencies;
  if (!existsSync(join(root, 'node_modules/node/bin/node'))) {
    stop(
      `Node ${node} is not in node_modules: its install script did not run. Is ignore-scripts set in npm?`,
    );
  }
}

/** Makes `npx countersign` work: npm links a command only if its file exists, and this one is compiled after `npm ci`. */
function linkCommand() {
  const command = join(root, 'cli', readJson('cli/package.json').bin.countersign);
  chmodSync(command, 0o755);
  const link = bin('countersign');
  if (!existsSync(link)) symlinkSync(relative(dirname(link), command), link);
}

async function build() {
  const built =
    (await step('Generate contracts', bin('node'), ['tools/generate.mjs'])) &&
    (await run(bin('node'), ['tools/prune.mjs'])) === 0 &&
    (await step('Compile', bin('tsc'), ['-b']));
  if (!built) stop('The build failed; the lines above say why.');
  linkCommand();
}

/** Sums the counts that each package's tests left; a package without them counts as one failure. */
function countTests(folders) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const folder of folders) {
    const path = join(folder, 'dist/.tests.json');
    const counts = existsSync(join(root, path)) ? readJson(path) : { passed: 0, failed: 1, skipped: 0 };
    for (const key of Object.keys(total)) total[key] += counts[key];
  }
  return total;
}

/** Every check and every package's tests, or the tests of the packages named (`npm test -- ledger`). */
async function test(names) {
  const all = packageFolders();
  const named = names.map((name) => {
    const folder = all.find((candidate) => candidate.split('/').at(-1) === name);
    return folder ?? stop(`There is no package '${name}'. Packages: ${all.join(', ')}.`);
  });
  await install();
  await build();

  const failed = [];
  const check = async (title, command, args) => {
    if (!(await step(title, command, args))) failed.push(title);
  };
  if (named.length === 0) {
    await check('Lint and format', bin('biome'), ['ci', '--error-on-warnings', '.']);
    if (existsSync(join(root, 'proto'))) await check('Lint contracts', bin('buf'), ['lint']);
    else console.log('SKIP Lint contracts: there is no proto folder');
    await check('House rules', bin('node'), ['tools/rules.mjs']);
  }
  // Everything is compiled by now, so the tasks that a test depends on have nothing to do.
  const nx = ['run-many', '-t', 'test', '--excludeTaskDependencies', '--outputStyle=static'];
  if (named.length > 0) nx.push(`--projects=${named.join(',')}`);
  await check('Tests', bin('nx'), nx);

  const { passed, failed: failures, skipped } = countTests(named.length > 0 ? named : all);
  if (failed.length > 0) console.log(`\nFailed: ${failed.join(', ')}`);
  console.log(`\n${passed} passed, ${failures} failed, ${skipped} skipped`);
  process.exit(failed.length + failures === 0 ? 0 : 1);
}

/** Installs and builds, then becomes the program. */
async function runBuilt(program, args) {
  await install();
  await build();
  process.exit(await run(bin('node'), [program, ...args]));
}

const [command, ...args] = process.argv.slice(2);
if (command === 'test') await test(args);
else if (command === 'start') await runBuilt('deploy/dist/main.js', args);
else if (command === 'bench') await runBuilt('test/dist/bench/bench.main.js', args);
else stop('Usage: node deploy/bootstrap.mjs <test|start|bench> [arguments]');
