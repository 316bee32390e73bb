export { quoteIdentifier, quoteLiteral } from './quote.js';
export {
  bodyOf,
  childrenOf,
  type Fields,
  isFields,
  isNode,
  itemsOf,
  type Node,
  namesOf,
  objectsOf,
  type Size,
  sameTree,
  sizeOf,
  stringsOf,
  tagOf,
} from './tree.js';
