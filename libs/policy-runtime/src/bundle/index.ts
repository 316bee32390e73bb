export { bundleLimits, gunzip, invalid, type Members, pack, unpack } from './archive.js';
export { type Bundle, entrypoint, readBundle } from './bundle.js';
export { dataOf, sourcesDigest, sourcesFolder, sourcesIn } from './sources.js';
