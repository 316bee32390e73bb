export { askForExplanation } from './explain.client.js';
export { type Explanation, renderExplanation } from './explanation.js';
