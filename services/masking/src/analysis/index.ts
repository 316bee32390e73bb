export { Analysis, type AnalysisOptions, type Returned, type Use } from './analysis.js';
export type { RelationLabels, RoutineFact, Sensitive, Source, TargetContext } from './context.js';
export { type Cell, type Flow, isMasked, type Reference } from './flow.js';
export { findFunction, findRelation, forbiddenColumns, isSystem } from './names.js';
export { notUnderstood, type Problem } from './problem.js';
export { declaresOwnTypes } from './types.js';
export { isQuery, type Walked, walk } from './walk.js';
export { vetWrite } from './write-effects.js';
