// Removes compiled files whose source is gone: the compiler leaves them, and a stale spec would go on passing.
import { existsSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { filesUnder, packageFolders, root } from './files.mjs';

const COMPILED = /(\.d\.ts|\.d\.ts\.map|\.js|\.js\.map)$/;

for (const folder of packageFolders()) {
  const dist = join(root, folder, 'dist');
  for (const file of filesUnder(dist)) {
    if (!COMPILED.test(file)) continue;
    const source = join(root, folder, 'src', relative(dist, file).replace(COMPILED, ''));
    if (!['.ts', '.tsx'].some((extension) => existsSync(source + extension))) rmSync(file);
  }
}
