export { findingsAsOf } from './absence.js';
export { absences, type Finding, findings } from './findings.js';
export { type Folded, fold, foldAll } from './fold.js';
export type { Leaf } from './leaf.js';
export { type FoldState, foldVersion, initialFold } from './state.js';
