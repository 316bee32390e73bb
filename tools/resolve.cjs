// How the house rules resolve imports: siblings to their sources, and './x.js' to './x.ts'.
const { existsSync, readdirSync, readFileSync } = require('node:fs');
const { join, resolve } = require('node:path');

const parents = ['libs', 'services'].filter((folder) => existsSync(folder));
const folders = [
  ...parents.flatMap((parent) => readdirSync(parent).map((name) => join(parent, name))),
  ...['cli', 'deploy', 'test'],
].filter((folder) => existsSync(join(folder, 'package.json')));

module.exports = {
  resolve: {
    alias: Object.fromEntries(
      folders.map((folder) => [
        `${JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name}$`,
        resolve(folder, 'src/index.ts'),
      ]),
    ),
    extensionAlias: { '.js': ['.ts', '.js'] },
    extensions: ['.ts', '.js', '.json'],
    conditionNames: ['import', 'node', 'default', 'types'],
  },
};
