import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Header } from 'tar';
import { bundleLimits, pack, unpack } from './archive.js';

const members = new Map([
  ['.manifest', Buffer.from('{}')],
  ['sources/deny.rego', Buffer.alloc(512, 7)],
  ['empty.json', Buffer.alloc(0)],
]);
const tar = gunzipSync(pack(members));

function entry(options: ConstructorParameters<typeof Header>[0], content = Buffer.alloc(0)): Uint8Array {
  const block = Buffer.alloc(512);
  new Header({ mode: 0o644, size: content.length, type: 'File', ...options } as never).encode(block);
  return gzipSync(Buffer.concat([block, content, Buffer.alloc(1024)]));
}

const refused = expect.objectContaining({ code: 'policy.bundle_invalid' });

describe('an archive', () => {
  it('gives back what was packed', () => {
    const names = [...unpack(pack(members)).keys()];
    expect(names).toEqual(['.manifest', 'empty.json', 'sources/deny.rego']);
    for (const [name, content] of unpack(pack(members))) {
      expect(Buffer.from(content)).toEqual(members.get(name));
    }
  });

  it('is the same whatever the order of its files', () => {
    expect(pack(new Map([...members].reverse()))).toEqual(pack(members));
  });

  it('may begin names with a slash, as opa does', () => {
    expect([...unpack(entry({ path: '/data.json' }, Buffer.alloc(512))).keys()]).toEqual(['data.json']);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('PK not gzip')],
    ['a name that leaves the folder', entry({ path: '../policy.wasm' })],
    ['a hidden way out', entry({ path: 'sources/../policy.wasm' })],
    ['a link', entry({ path: 'policy.wasm', type: 'SymbolicLink', linkpath: '/etc/passwd' })],
    ['a folder', entry({ path: 'sources', type: 'Directory' })],
    ['a file that is cut off', gzipSync(tar.subarray(0, 1100))],
    ['a damaged header', gzipSync(Buffer.concat([Buffer.from('x'), tar.subarray(1)]))],
    ['a file twice', gzipSync(Buffer.concat([tar.subarray(0, 1024), tar]))],
    ['something behind its end', gzipSync(Buffer.concat([tar, Buffer.from('x')]))],
    ['more bytes than are read', Buffer.alloc(bundleLimits.packed + 1)],
    ['more bytes than are unpacked', gzipSync(Buffer.alloc(bundleLimits.unpacked + 1))],
  ])('with %s is refused', (_name, archive) => {
    expect(() => unpack(archive)).toThrow(refused);
  });

  it('with too many files is refused', () => {
    const many = new Map(
      Array.from({ length: bundleLimits.members + 1 }, (_, index) => [`f${index}`, Buffer.alloc(0)] as const),
    );
    expect(() => unpack(pack(many))).toThrow(refused);
  });

  it('of any bytes is read or refused, never anything else', () => {
    const flips = fc.array(fc.tuple(fc.nat(tar.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(flips, fc.nat(tar.length), (changes, length) => {
        const changed = Buffer.from(tar);
        for (const [position, byte] of changes) changed[position] = byte;
        attempt(gzipSync(changed.subarray(0, length)));
        attempt(changed);
      }),
      { numRuns: 500 },
    );
  });
});

function attempt(bytes: Uint8Array): void {
  try {
    unpack(bytes);
  } catch (error) {
    expect(error).toEqual(refused);
  }
}
