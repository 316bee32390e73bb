export {
  bundleLimits,
  dataOf,
  gunzip,
  pack,
  sourcesDigest,
  sourcesFolder,
  sourcesIn,
  unpack,
} from './bundle/index.js';
export { inputLimit } from './decision/index.js';
export { hostBuiltins } from './engine/index.js';
export { type LoadedPolicy, loadPolicy } from './load.js';
