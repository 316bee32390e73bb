import { concat } from '../bytes.js';
import { emptyRoot, HASH_LENGTH, hashOfNodes, nodesOf } from '../tree/index.js';
import { placeOf, tileWidth } from './coordinates.js';
import { hashUpwards, parseHashTile } from './hash-tile.js';
import { TILE_WIDTH, type TileCoordinate } from './path.js';

/** A tile of hashes with its bytes. */
export interface HashTile extends TileCoordinate {
  readonly level: number;
  readonly bytes: Uint8Array;
}

/**
 * The right edge of a tiled tree: for each level, lowest first, the bytes of its partial tile (empty where the level
 * ends with a full tile). All that must be kept to append without reading: at most 8,160 bytes a level.
 */
export interface TileEdge {
  readonly size: number;
  readonly levels: readonly Uint8Array[];
}

export const emptyEdge: TileEdge = { size: 0, levels: [] };

/** The edge after more leaves, and the tiles that became full, in the order in which they did. */
export interface TileAppend {
  readonly edge: TileEdge;
  readonly full: readonly HashTile[];
}

/** Appends leaf hashes to a tiled tree. Store `full`, and of the edge the partial tiles of checkpointed sizes. */
export function appendToEdge(edge: TileEdge, leafHashes: Iterable<Uint8Array>): TileAppend {
  const levels = edge.levels.map((bytes) => [...parseHashTile(bytes, bytes.length / HASH_LENGTH)]);
  const full: HashTile[] = [];
  let size = edge.size;
  for (const leaf of leafHashes) {
    size += 1;
    let hash = leaf;
    for (let level = 0; ; level += 1) {
      const row = levels[level];
      if (row === undefined) {
        levels.push([hash]);
        break;
      }
      row.push(hash);
      if (row.length < TILE_WIDTH) break;
      const index = size / TILE_WIDTH ** (level + 1) - 1;
      full.push({ level, index, width: TILE_WIDTH, bytes: concat(...row) });
      hash = hashUpwards(row);
      levels[level] = [];
    }
  }
  return { edge: { size, levels: levels.map((row) => concat(...row)) }, full };
}

/** The partial tiles of an edge: those of the tree of its size. */
export function partialTiles(edge: TileEdge): readonly HashTile[] {
  return edge.levels.flatMap((bytes, level) =>
    bytes.length === 0
      ? []
      : [
          {
            level,
            index: Math.floor(edge.size / TILE_WIDTH ** (level + 1)),
            width: bytes.length / HASH_LENGTH,
            bytes,
          },
        ],
  );
}

/** Root of the tree that ends in this edge (RFC 9162 section 2.1.1). */
export function edgeRoot(edge: TileEdge): Uint8Array {
  if (edge.size === 0) return emptyRoot();
  const rows = edge.levels.map((bytes) => parseHashTile(bytes, bytes.length / HASH_LENGTH));
  // The complete subtrees of a size all lie in its partial tiles: a full tile is one hash of the level above.
  const hashes = nodesOf({ start: 0, end: edge.size }).map((node) => {
    const { tile, offset, count } = placeOf(node, edge.size);
    return hashUpwards((rows[tile.level] ?? []).slice(offset, offset + count));
  });
  return hashOfNodes(hashes);
}

/** Reads the edge of the tree of `size` leaves from its partial tiles. */
export async function readEdge(
  size: number,
  readTile: (tile: TileCoordinate & { readonly level: number }) => Promise<Uint8Array>,
): Promise<TileEdge> {
  const levels: Promise<Uint8Array>[] = [];
  for (let level = 0; size >= TILE_WIDTH ** level; level += 1) {
    const index = Math.floor(size / TILE_WIDTH ** (level + 1));
    const width = tileWidth(size, level, index);
    levels.push(width === 0 ? Promise.resolve(new Uint8Array(0)) : readTile({ level, index, width }));
  }
  const read = await Promise.all(levels);
  for (const [level, bytes] of read.entries()) {
    const index = Math.floor(size / TILE_WIDTH ** (level + 1));
    parseHashTile(bytes, tileWidth(size, level, index));
  }
  return { size, levels: read };
}
