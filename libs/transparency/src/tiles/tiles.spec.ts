import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { equal, toHex } from '../bytes.js';
import { FormatError } from '../format-error.js';
import { readCases } from '../testing/cases.store.js';
import { sampleLeaves } from '../testing/tree.fixture.js';
import {
  appendLeaves,
  emptyFrontier,
  frontierRoot,
  leafHash,
  proveConsistency,
  proveInclusion,
  readRoot,
  verifyConsistency,
  verifyInclusion,
} from '../tree/index.js';
import { newTiles } from './coordinates.js';
import { appendToEdge, edgeRoot, emptyEdge, partialTiles, readEdge, type TileEdge } from './edge.js';
import { decodeEntryBundle, encodeEntryBundle } from './entry-bundle.js';
import { tileHashReader } from './hash-tile.js';
import { parseTilePath, type TileCoordinate, tilePath } from './path.js';

interface PathCases {
  readonly valid: readonly (TileCoordinate & { path: string })[];
  readonly invalid: readonly string[];
  readonly trees: readonly { size: number; tiles: number; partial: readonly string[] }[];
}
const cases = readCases<PathCases>('tile-paths.json');

describe('tile paths', () => {
  it.each(cases.valid)('names $path', ({ path, ...tile }) => {
    expect(tilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual(tile);
  });

  it.each(cases.invalid.map((path) => [path]))('refuses %j', (path) => {
    expect(() => parseTilePath(path)).toThrow(FormatError);
  });

  it('refuses or reads back any text', () => {
    const parts = fc.constantFrom('tile/', 'entries', '/', 'x', '000', '001', '.p/', '0', '9', '256');
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 12 }), (words) => {
        const path = words.join('');
        try {
          expect(tilePath(parseTilePath(path))).toBe(path);
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
        }
      }),
    );
  });

  it.each(cases.trees)('lists the tiles of a tree of $size', ({ size, tiles, partial }) => {
    const listed = [...newTiles(0, size)];
    expect(listed).toHaveLength(tiles);
    expect(listed.filter(({ width }) => width < 256).map(tilePath)).toEqual(partial);
  });

  it('lists only what growth adds', () => {
    expect([...newTiles(255, 257)].map(tilePath)).toEqual(['tile/0/000', 'tile/0/001.p/1', 'tile/1/000.p/1']);
    expect([...newTiles(300, 300)]).toEqual([]);
  });
});

/** A log that keeps its tiles in memory, appended to in batches. */
function growLog(leaves: readonly Uint8Array[], batches: readonly number[]) {
  const store = new Map<string, Uint8Array>();
  let edge: TileEdge = emptyEdge;
  const append = (count: number) => {
    const appended = appendToEdge(edge, leaves.slice(edge.size, edge.size + count));
    edge = appended.edge;
    for (const tile of [...appended.full, ...partialTiles(edge)]) store.set(tilePath(tile), tile.bytes);
  };
  for (const batch of batches) append(batch);
  append(leaves.length);
  const read = async (tile: TileCoordinate) => {
    const bytes = store.get(tilePath(tile));
    if (bytes === undefined) throw new Error(`no ${tilePath(tile)}`);
    return bytes;
  };
  return { store, edge, read };
}

const many = sampleLeaves(66_100);

describe('a tiled log', () => {
  const { store, edge, read } = growLog(many, [1, 255, 1, 300, 65_000]);
  const size = many.length;
  const reader = tileHashReader(size, read);

  it('has the root of the tree', async () => {
    const root = frontierRoot(appendLeaves(emptyFrontier, many));
    expect(equal(edgeRoot(edge), root)).toBe(true);
    expect(equal(await readRoot(size, reader), root)).toBe(true);
  });

  it('keeps every tile that a tree of its size has', () => {
    for (const tile of newTiles(0, size)) expect(store.get(tilePath(tile))?.length).toBe(tile.width * 32);
  });

  it('is continued from its tiles alone', async () => {
    const again = await readEdge(size, read);
    expect(again.levels.map(toHex)).toEqual(edge.levels.map(toHex));
    expect(again.size).toBe(size);
  });

  it('refuses tiles of another length', async () => {
    const short = async (tile: TileCoordinate) => (await read(tile)).subarray(1);
    await expect(readEdge(size, short)).rejects.toThrow(FormatError);
    await expect(readRoot(size, tileHashReader(size, short))).rejects.toThrow(FormatError);
  });

  it('proves inclusion and consistency from tiles', async () => {
    const root = edgeRoot(edge);
    const indexes = fc.nat(size - 1);
    await fc.assert(
      fc.asyncProperty(indexes, indexes, async (index, before) => {
        const proof = await proveInclusion(index, size, reader);
        expect(verifyInclusion({ leafHash: many[index] ?? root, index, size, root, proof })).toBe(true);
        const first = {
          size: before,
          root: frontierRoot(appendLeaves(emptyFrontier, many.slice(0, before))),
        };
        const growth = await proveConsistency(before, size, reader);
        expect(verifyConsistency({ first, second: { size, root }, proof: growth })).toBe(true);
      }),
      { numRuns: 15 },
    );
  });
});

describe('the edge of small trees', () => {
  it('agrees with the frontier at every size', () => {
    let edge = emptyEdge;
    let frontier = emptyFrontier;
    for (const leaf of many.slice(0, 600)) {
      expect(equal(edgeRoot(edge), frontierRoot(frontier))).toBe(true);
      edge = appendToEdge(edge, [leaf]).edge;
      frontier = appendLeaves(frontier, [leaf]);
    }
  });
});

describe('entry bundles', () => {
  const entries = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 256 });

  it('give back what was put in, with the leaf hashes of the tree', () => {
    fc.assert(
      fc.property(entries, (list) => {
        const decoded = decodeEntryBundle(encodeEntryBundle(list), list.length);
        expect(decoded.map((entry) => toHex(leafHash(entry)))).toEqual(
          list.map((entry) => toHex(leafHash(entry))),
        );
      }),
    );
  });

  it('refuse another width, a cut and a tail', () => {
    const bundle = encodeEntryBundle([Uint8Array.of(1, 2, 3), Uint8Array.of()]);
    expect(toHex(bundle)).toBe('00030102030000');
    for (const width of [0, 1, 3]) expect(() => decodeEntryBundle(bundle, width)).toThrow(FormatError);
    for (let cut = 0; cut < bundle.length; cut += 1)
      expect(() => decodeEntryBundle(bundle.subarray(0, cut), 2)).toThrow(FormatError);
    expect(() => decodeEntryBundle(Uint8Array.of(...bundle, 0), 2)).toThrow(FormatError);
  });

  it('refuse or decode any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(8), (bytes, width) => {
        try {
          expect(toHex(encodeEntryBundle(decodeEntryBundle(bytes, width)))).toBe(toHex(bytes));
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
        }
      }),
    );
  });

  it('hold entries up to 65,535 bytes', () => {
    const longest = new Uint8Array(65_535);
    expect(decodeEntryBundle(encodeEntryBundle([longest]), 1)[0]?.length).toBe(65_535);
    expect(() => encodeEntryBundle([new Uint8Array(65_536)])).toThrow(RangeError);
    expect(() => encodeEntryBundle(Array.from({ length: 257 }, () => longest))).toThrow(RangeError);
  });
});
