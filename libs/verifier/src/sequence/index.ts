export { Aligner, type Discrepancy } from './aligner.js';
export { HashList } from './hash-list.js';
