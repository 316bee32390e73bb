export { Aligner, type Discrepancy } from './aligner.js';
export { HashList } from './hash-list.js';
export { IdIndex } from './id-index.js';
