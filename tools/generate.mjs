// Writes the TypeScript of proto/ into libs/contracts, and skips that when nothing it reads has changed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { digestOf, filesUnder, root } from './files.mjs';

const out = join(root, 'libs/contracts/src/generated');
// Outside `out`, which the generator clears.
const stamp = join(root, 'node_modules/.cache/countersign/generate');

const protos = filesUnder(join(root, 'proto')).filter((file) => file.endsWith('.proto'));
if (protos.length === 0) {
  console.log('SKIP generate: proto/ holds no .proto file');
  process.exit(0);
}
const inputs = [
  ...protos,
  ...['buf.yaml', 'buf.gen.yaml', 'package-lock.json'].map((name) => join(root, name)),
];
// The outputs belong to the digest: a half-deleted or hand-edited tree is generated anew.
const digest = () => digestOf([...inputs, ...filesUnder(out)]);

if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest()) process.exit(0);

const buf = join(root, 'node_modules/.bin/buf');
const { status } = spawnSync(buf, ['generate'], { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
mkdirSync(dirname(stamp), { recursive: true });
writeFileSync(stamp, digest());
