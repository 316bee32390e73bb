import { checkSize, type NodeCoordinate } from '../tree/index.js';
import { TILE_HEIGHT, TILE_WIDTH, type TileCoordinate } from './path.js';

/** Hashes at a tile level in a tree of `size` leaves: floor(size / 256**level). */
export function hashesAtLevel(size: number, level: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** Hashes that tile `index` of a level holds in a tree of `size` leaves: 0 to 256. */
export function tileWidth(size: number, level: number, index: number): number {
  return Math.max(0, Math.min(TILE_WIDTH, hashesAtLevel(size, level) - index * TILE_WIDTH));
}

/**
 * The hash tiles that the tree of `to` leaves has and that of `from` leaves has not, full and partial, from the lowest
 * level up. With `from` 0 all tiles of the tree.
 */
export function* newTiles(from: number, to: number): Generator<TileCoordinate & { readonly level: number }> {
  checkSize(from);
  checkSize(to);
  for (let level = 0; hashesAtLevel(to, level) > 0; level += 1) {
    const before = hashesAtLevel(from, level);
    const after = hashesAtLevel(to, level);
    if (before === after) continue;
    for (let index = Math.floor(before / TILE_WIDTH); index * TILE_WIDTH < after; index += 1)
      yield { level, index, width: tileWidth(to, level, index) };
  }
}

/** Where a complete subtree is found: its tile, and the hashes of the tile that it spans. */
export interface NodePlace {
  readonly tile: TileCoordinate & { readonly level: number };
  /** Position of the first hash in the tile. */
  readonly offset: number;
  /** Number of hashes: a power of two, at most 128. */
  readonly count: number;
}

/** Where the tree of `size` leaves keeps a node. Throws a RangeError where it has no such node. */
export function placeOf(node: NodeCoordinate, size: number): NodePlace {
  const level = Math.floor(node.level / TILE_HEIGHT);
  const count = 2 ** (node.level % TILE_HEIGHT);
  const first = node.index * count;
  const index = Math.floor(first / TILE_WIDTH);
  const offset = first - index * TILE_WIDTH;
  const width = tileWidth(size, level, index);
  if (offset + count > width) throw new RangeError('The tree does not hold that node.');
  return { tile: { level, index, width }, offset, count };
}
