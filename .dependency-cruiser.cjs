// The rules of the house about who may import whom. Paths are taken from the working directory, so that
// test/src/house-rules can run the same rules over a tree of violations.
const { existsSync, readdirSync, readFileSync } = require('node:fs');

const EFFECTS = ['fs', 'net', 'tls', 'http', 'https', 'child_process'];
const EFFECT_PACKAGES = ['pg', 'typeorm', '@grpc/grpc-js'];
const EDGES = 'store|server|client|main|module|driver|worker|controller|spec|command';
const PARTS = '^(libs|services|cli|deploy|test)/';

const literal = (path) => path.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
const foldersIn = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !['dist', 'node_modules', 'generated'].includes(entry.name))
        .map((entry) => `${folder}/${entry.name}`)
    : [];
const packages = [...foldersIn('libs'), ...foldersIn('services'), 'cli', 'deploy', 'test']
  .filter((folder) => existsSync(`${folder}/package.json`))
  .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) }));

/** Folders with an index.ts at any depth below and including `folder`. */
const doorsBelow = (folder) => [
  ...(existsSync(`${folder}/index.ts`) ? [folder] : []),
  ...foldersIn(folder).flatMap(doorsBelow),
];
const doors = packages.flatMap(({ folder }) => doorsBelow(`${folder}/src`));

/** Folders of the siblings that a package declares, both to npm and to the compiler. */
const declared = ({ folder, manifest }) => {
  const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
  const { references = [] } = JSON.parse(readFileSync(`${folder}/tsconfig.json`, 'utf8'));
  return packages
    .filter((other) => names.includes(other.manifest.name))
    .filter((other) =>
      references.some(({ path }) => `/${other.folder}` === new URL(path, `file:///${folder}/`).pathname),
    )
    .map((other) => other.folder);
};

module.exports = {
  forbidden: [
    {
      name: 'services-apart',
      comment: 'A service imports libraries, never another service.',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'libraries-below',
      comment: 'A library imports nothing that is built upon libraries.',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^(services|cli|deploy|test)/' },
    },
    {
      name: 'no-cycles',
      comment: 'Files do not import one another in a circle.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-package-cycles',
      comment: 'Packages do not import one another in a circle.',
      severity: 'error',
      scope: 'folder',
      from: { path: '^(libs/[^/]+|services/[^/]+|cli|deploy|test)/src$' },
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'An import that leads nowhere would escape every other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'gate-knows-no-protocol',
      comment: 'One gate for every protocol: what it knew of one it would not do for the others.',
      severity: 'error',
      from: { path: '^services/ingress-proxy/src/gate/' },
      to: { path: '^services/ingress-proxy/src/protocols/' },
    },
    {
      name: 'pure-files',
      comment: 'Effects live in files whose names say so.',
      severity: 'error',
      from: {
        path: '^(libs|services)/',
        pathNot: [
          `(^|[./])(${EDGES})\\.ts$`,
          '^libs/testing/',
          '/generated/',
          '/(fixtures|testing|bench)/',
          '\\.fixture\\.ts$',
        ],
      },
      to: {
        path: [
          `^(node:)?(${EFFECTS.join('|')})(/|$)`,
          `(^|/)node_modules/(@types/)?(${EFFECT_PACKAGES.join('|')})(/|$)`,
          `^(${EFFECT_PACKAGES.join('|')})(/|$)`,
        ],
      },
    },
    ...packages.map((part) => ({
      name: 'declared-siblings',
      comment:
        'Declare a sibling in package.json and in the references of tsconfig.json, or builds go stale.',
      severity: 'error',
      from: { path: `^${literal(part.folder)}/` },
      to: {
        path: PARTS,
        pathNot: [part.folder, ...declared(part)].map((folder) => `^${literal(folder)}/`),
      },
    })),
    ...doors.map((folder) => ({
      name: 'enter-by-index',
      comment: 'A folder with an index.ts is entered by it.',
      severity: 'error',
      from: { pathNot: `^${literal(folder)}/` },
      to: { path: `^${literal(folder)}/`, pathNot: `^${literal(folder)}/index\\.ts$` },
    })),
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: '(^|/)node_modules/' },
    exclude: { path: '(^|/)dist/' },
    // Siblings are followed into their sources, so that rules see through package borders.
    enhancedResolveOptions: { exportsFields: ['exports'] },
    webpackConfig: { fileName: `${__dirname}/tools/resolve.cjs` },
  },
};
