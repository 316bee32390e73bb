// Checks the house rules over the tree in the working directory.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './files.mjs';

const sources = ['libs', 'services']
  .filter((parent) => existsSync(parent))
  .flatMap((parent) => readdirSync(parent).map((name) => `${parent}/${name}/src`))
  .concat('cli/src', 'deploy/src', 'test/src')
  .filter((folder) => existsSync(folder));

const { status } = spawnSync(
  join(root, 'node_modules/.bin/node'),
  [
    join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs'),
    `--config=${join(root, '.dependency-cruiser.cjs')}`,
    ...process.argv.slice(2),
    ...sources,
  ],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
