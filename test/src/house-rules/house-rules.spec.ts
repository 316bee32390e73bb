import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

interface Entry {
  readonly path: string;
  readonly imports?: readonly string[];
  readonly breaks?: readonly string[];
}

interface Tree {
  readonly packages: Readonly<Record<string, readonly string[]>>;
  readonly files: readonly Entry[];
  readonly folders: readonly Entry[];
}

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const tree: Tree = JSON.parse(readFileSync(join(root, 'test/src/house-rules/tree.json'), 'utf8'));
const entries = [...tree.files, ...tree.folders];
const nameOf = (folder: string) => `@countersign/${basename(folder)}`;

function write(path: string, content: string) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

function plant(folder: string) {
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [path, siblings] of Object.entries(tree.packages)) {
    const dependencies = Object.fromEntries(siblings.map((sibling) => [nameOf(sibling), '0.1.0']));
    const references = siblings.map((sibling) => ({ path: relative(path, sibling) }));
    write(join(folder, path, 'package.json'), JSON.stringify({ name: nameOf(path), dependencies }));
    write(join(folder, path, 'tsconfig.json'), JSON.stringify({ references }));
  }
  for (const { path, imports = [] } of tree.files) {
    // Types alone are the least an import can be; every rule holds for them too.
    const lines = imports.map((source, index) => `import type * as name${index} from '${source}';\n`);
    write(join(folder, path), `${lines.join('')}export {};\n`);
  }
}

describe('the house rules', () => {
  let folder: string;
  const broken = new Map<string, Set<string>>();

  const cruise = (options: readonly string[]) =>
    spawnSync(process.execPath, [join(root, 'tools/rules.mjs'), ...options], {
      cwd: folder,
      encoding: 'utf8',
    });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-rules-'));
    plant(folder);
    const { stdout } = cruise(['--output-type=json']);
    const violations: readonly Violation[] = JSON.parse(stdout).summary.violations;
    for (const { from, rule } of violations) {
      broken.set(from, (broken.get(from) ?? new Set()).add(rule.name));
    }
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(entries.map((entry) => [entry.path, entry.breaks ?? []] as const))(
    '%s breaks %j',
    (path, breaks) => {
      expect([...(broken.get(path) ?? [])].sort()).toEqual([...breaks].sort());
    },
  );

  test('a violation fails the run', () => expect(cruise([]).status).not.toBe(0));

  test('each rule is broken by some file of the tree', () => {
    const script = `process.stdout.write(JSON.stringify(require(${JSON.stringify(join(root, '.dependency-cruiser.cjs'))}).forbidden.map((rule) => rule.name)))`;
    const names: readonly string[] = JSON.parse(
      execFileSync(process.execPath, ['--input-type=commonjs', '-e', script], {
        cwd: folder,
        encoding: 'utf8',
      }),
    );
    const seen = new Set(entries.flatMap(({ breaks = [] }) => breaks));
    expect([...seen].sort()).toEqual([...new Set(names)].sort());
  });
});
