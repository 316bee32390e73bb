export { inputLimit, inputText, readInput } from './input.js';
export { decisionOf } from './result.js';
