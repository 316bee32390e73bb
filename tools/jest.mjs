// Runs the compiled specs of the package in the working directory; arguments go to jest.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder, root } from './files.mjs';

const folder = process.cwd();
const dist = join(folder, 'dist');
const counts = join(dist, '.tests.json');
// A run that dies early must not leave the counts of the one before.
rmSync(counts, { force: true });

if (!filesUnder(dist).some((file) => file.endsWith('.spec.js'))) {
  console.log('SKIP tests: the package has no specs');
  mkdirSync(dist, { recursive: true });
  writeFileSync(counts, '{"passed":0,"failed":0,"skipped":0}\n');
  process.exit(0);
}
const { status } = spawnSync(
  join(root, 'node_modules/.bin/node'),
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules/jest/bin/jest.js'),
    `--config=${join(root, 'jest.config.mjs')}`,
    `--rootDir=${folder}`,
    ...process.argv.slice(2),
  ],
  { cwd: folder, stdio: 'inherit' },
);
process.exit(status ?? 1);
