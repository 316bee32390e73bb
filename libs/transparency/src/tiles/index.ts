export { hashesAtLevel, newTiles, placeOf, tileWidth } from './coordinates.js';
export {
  appendToEdge,
  edgeRoot,
  emptyEdge,
  type HashTile,
  partialTiles,
  readEdge,
  type TileAppend,
  type TileEdge,
} from './edge.js';
export { decodeEntryBundle, encodeEntryBundle, MAXIMUM_ENTRY_LENGTH } from './entry-bundle.js';
export { parseHashTile, type TileReader, tileHashReader } from './hash-tile.js';
export { parseTilePath, TILE_HEIGHT, TILE_WIDTH, type TileCoordinate, tilePath } from './path.js';
