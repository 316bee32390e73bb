export { isReadWhole, type MaskedAnswer, maskedAnswer, type Plan, readPlan } from './masked.js';
export { type ProblemAnswer, type ProblemContext, problemAnswer } from './problem.js';
