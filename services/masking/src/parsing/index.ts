export { loadGrammar } from './grammar.driver.js';
export {
  EXHAUSTED,
  type Grammar,
  isText,
  type Parsed,
  parseMessage,
  STATEMENT_BYTES,
  TREE_LEVELS,
  TREE_OBJECTS,
} from './parsing.js';
