import { FormatError } from '../format-error.js';
import { HASH_LENGTH, type HashReader, nodeHash } from '../tree/index.js';
import { placeOf } from './coordinates.js';
import { type TileCoordinate, tilePath } from './path.js';

/** The hashes of a tile's bytes. Throws a FormatError unless they are exactly `width` hashes. */
export function parseHashTile(bytes: Uint8Array, width: number): readonly Uint8Array[] {
  if (bytes.length !== width * HASH_LENGTH) throw new FormatError('The tile has the wrong length.');
  return Array.from({ length: width }, (_, index) =>
    bytes.subarray(index * HASH_LENGTH, (index + 1) * HASH_LENGTH),
  );
}

/** Hash over a power-of-two number of neighbouring hashes: the complete subtree above them. */
export function hashUpwards(hashes: readonly Uint8Array[]): Uint8Array {
  let row = hashes;
  while (row.length > 1) {
    const above: Uint8Array[] = [];
    for (let index = 0; index + 1 < row.length; index += 2) {
      const left = row[index];
      const right = row[index + 1];
      if (left !== undefined && right !== undefined) above.push(nodeHash(left, right));
    }
    row = above;
  }
  const [top] = row;
  if (top === undefined) throw new RangeError('There is no hash to start from.');
  return top;
}

/** Reads one tile's bytes: `width` hashes of 32 bytes. */
export type TileReader = (tile: TileCoordinate & { readonly level: number }) => Promise<Uint8Array>;

/**
 * Reads hashes of the tree of `size` leaves from its tiles alone. Each tile is read once a call, all at the same time;
 * a tile of another length rejects with a FormatError.
 */
export function tileHashReader(size: number, readTile: TileReader): HashReader {
  return async (nodes) => {
    const places = nodes.map((node) => placeOf(node, size));
    const tiles = new Map<string, Promise<readonly Uint8Array[]>>();
    for (const { tile } of places) {
      const path = tilePath(tile);
      if (!tiles.has(path))
        tiles.set(
          path,
          readTile(tile).then((bytes) => parseHashTile(bytes, tile.width)),
        );
    }
    // All awaited together: a second failing tile must not become an unhandled rejection.
    const read = new Map(
      await Promise.all([...tiles].map(async ([path, hashes]) => [path, await hashes] as const)),
    );
    return places.map(({ tile, offset, count }) =>
      hashUpwards((read.get(tilePath(tile)) ?? []).slice(offset, offset + count)),
    );
  };
}
