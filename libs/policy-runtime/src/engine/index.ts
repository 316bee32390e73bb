export { hostBuiltins } from './builtins.js';
export { createEngine, type Engine } from './engine.js';
