import { FormatError } from '../format-error.js';

/** Hashes in a full tile, entries in a full bundle. */
export const TILE_WIDTH = 256;
/** Levels of the tree that one tile spans. */
export const TILE_HEIGHT = 8;
const MAXIMUM_LEVEL = 63;

/** A tile of hashes, or a bundle of entries where the level is `entries`. */
export interface TileCoordinate {
  readonly level: number | 'entries';
  /** Index of the tile in its level. */
  readonly index: number;
  /** Hashes or entries that it holds: 1 to 256, less than 256 in a partial tile. */
  readonly width: number;
}

/** Path below the log's prefix (C2SP tlog-tiles): `tile/0/x001/x234/067`, `tile/entries/000.p/17`. */
export function tilePath({ level, index, width }: TileCoordinate): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const groups = padded.match(/\d{3}/g) ?? [];
  const path = groups
    .map((group, position) => (position < groups.length - 1 ? `x${group}` : group))
    .join('/');
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

const PATH =
  /^tile\/(?<level>entries|0|[1-9]\d?)\/(?<index>(?:x\d{3}\/){0,5}\d{3})(?:\.p\/(?<width>[1-9]\d{0,2}))?$/;

/** The reverse of `tilePath`. Throws a FormatError for every other text. */
export function parseTilePath(path: string): TileCoordinate {
  const groups = path.length > 64 ? undefined : PATH.exec(path)?.groups;
  if (groups?.level === undefined || groups.index === undefined)
    throw new FormatError('The path names no tile.');
  const coordinate: TileCoordinate = {
    level: groups.level === 'entries' ? 'entries' : Number(groups.level),
    index: Number(groups.index.replaceAll(/[x/]/g, '')),
    width: groups.width === undefined ? TILE_WIDTH : Number(groups.width),
  };
  const possible =
    Number.isSafeInteger(coordinate.index) &&
    (coordinate.level === 'entries' || coordinate.level <= MAXIMUM_LEVEL) &&
    coordinate.width <= TILE_WIDTH;
  // Written back it must be the same: `.p/256` and superfluous leading groups are other names for the same tile.
  if (!possible || tilePath(coordinate) !== path) throw new FormatError('The path names no tile.');
  return coordinate;
}
