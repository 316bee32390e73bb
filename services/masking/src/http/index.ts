export { requestFacts } from './facts.js';
export { describeOperations, type HttpContext, OPERATIONS } from './operations.js';
export { planOf } from './plan.js';
export { readShape } from './shape.js';
